/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The pages. Each answers the visit; addresses are in kitchen/web. */

#include "kitchen/site/visit.h"

typedef void (*Page)(Visit *visit);

/* / and /NS: projects, what waits and why. */
void page_home(Visit *visit);
void page_namespace(Visit *visit);
/* /queue: jobs at work and waiting. */
void page_queue(Visit *visit);
/* /new: the form for a project, and what it does. */
void page_new_project(Visit *visit);
void page_create_project(Visit *visit);

/* /NS/P: the project. */
void page_project(Visit *visit);
/* /NS/P/badge.svg. */
void page_badge(Visit *visit);
/* /NS/P/build: build now. /NS/P/fork: a fork in one's own namespace. */
void page_build_now(Visit *visit);
void page_fork(Visit *visit);

/* /NS/P/builds/N and its buttons. */
void page_build(Visit *visit);
void page_retry(Visit *visit);
void page_cancel(Visit *visit);
/* /NS/P/builds/N/jobs/J/log. */
void page_log(Visit *visit);

/* What people do with channels: /NS/P/channels, /NS/P/channels/C/release, halt and withdraw. */
void page_set_channel(Visit *visit);
void page_release(Visit *visit);
void page_halt(Visit *visit);
void page_withdraw(Visit *visit);

/* /NS/P/channels/C, /NS/P/keys, and /NS/P/keys/FILE: PURPOSE.pem, PURPOSE.der, import-pubring.pgp. */
void page_channel(Visit *visit);
void page_keys(Visit *visit);
void page_key_file(Visit *visit);

/* /NS/P/settings, its forms, and /NS/P/settings/hooks/ID: the deliveries. */
void page_settings(Visit *visit);
void page_settings_project(Visit *visit);
void page_settings_member(Visit *visit);
void page_settings_hook(Visit *visit);
void page_settings_credential(Visit *visit);
void page_settings_remove_credential(Visit *visit);
void page_settings_rights(Visit *visit);
void page_deliveries(Visit *visit);

/* /login, /logout, /link/SECRET: how to come in. */
void page_login(Visit *visit);
void page_log_in(Visit *visit);
void page_log_out(Visit *visit);
void page_link(Visit *visit);
void page_use_link(Visit *visit);

/* /account: password and tokens. */
void page_account(Visit *visit);
void page_account_password(Visit *visit);
void page_account_token(Visit *visit);
void page_account_revoke(Visit *visit);

/* /users: for administrators. */
void page_users(Visit *visit);
void page_add_user(Visit *visit);
void page_user_link(Visit *visit);
void page_user_disable(Visit *visit);
