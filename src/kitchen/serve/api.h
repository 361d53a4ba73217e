/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The API below /api/v1. Reading works for whoever sees it; changing needs a token. */

#include "kitchen/site/visit.h"

void api_projects(Visit *visit);
void api_project(Visit *visit);
void api_builds(Visit *visit);
void api_build(Visit *visit);
void api_job(Visit *visit);
void api_queue(Visit *visit);
void api_channels(Visit *visit);
void api_events(Visit *visit);
void api_user(Visit *visit);

void api_create_project(Visit *visit);
void api_fork(Visit *visit);
void api_start_build(Visit *visit);
void api_retry(Visit *visit);
void api_cancel(Visit *visit);
void api_limits(Visit *visit);
void api_sources(Visit *visit);
void api_add_source(Visit *visit);
void api_remove_source(Visit *visit);

void api_channel(Visit *visit);
void api_set_channel(Visit *visit);
void api_release(Visit *visit);
void api_halt(Visit *visit);
void api_release_files(Visit *visit);
void api_approve(Visit *visit);
void api_withdraw(Visit *visit);

void api_credentials(Visit *visit);
void api_set_credential(Visit *visit);
void api_remove_credential(Visit *visit);

/* No address of the API is that. The status is set. */
void api_missing(Visit *visit);

/* The project of the segments FROM and FROM + 1, if the visitor may do there what ROLE may. NULL: answered. */
ProjectView *api_find_project(Visit *visit, guint from, Role role);
