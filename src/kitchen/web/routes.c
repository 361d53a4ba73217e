/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "routes.h"

#include <string.h>

#include "kitchen/pages/pages.h"
#include "kitchen/serve/api.h"
#include "kitchen/serve/deliver.h"
#include "kitchen/serve/log-stream.h"
#include "kitchen/serve/object.h"
#include "kitchen/serve/published.h"
#include "kitchen/site/frame.h"
#include "kitchen/web/assets.h"

#define API_BODY_MAX (256 * 1024)

static void answer(HttpRequest *request, Site *site, Page page) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Visit) visit = visit_new(site, request, &error);

    if (visit) {
        page(visit);
        return;
    }
    g_warning("A request was not answered: %s", error->message);
    http_header(request, "Retry-After", "5");
    http_answer_text(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "The database does not answer: try again in a moment");
}

/* A handler NAME for the page of that name. */
#define HANDLER(name)                                                                                                  \
    static void on_##name(HttpRequest *request, gpointer site) {                                                       \
        answer(request, site, name);                                                                                   \
    }

HANDLER(page_home)
HANDLER(page_namespace)
HANDLER(page_queue)
HANDLER(page_new_project)
HANDLER(page_create_project)
HANDLER(page_project)
HANDLER(page_badge)
HANDLER(page_build_now)
HANDLER(page_fork)
HANDLER(page_build)
HANDLER(page_retry)
HANDLER(page_cancel)
HANDLER(page_log)
HANDLER(page_channel)
HANDLER(page_set_channel)
HANDLER(page_release)
HANDLER(page_halt)
HANDLER(page_withdraw)
HANDLER(page_keys)
HANDLER(page_key_file)
HANDLER(page_settings)
HANDLER(page_settings_project)
HANDLER(page_settings_member)
HANDLER(page_settings_hook)
HANDLER(page_settings_credential)
HANDLER(page_settings_remove_credential)
HANDLER(page_settings_rights)
HANDLER(page_deliveries)
HANDLER(page_login)
HANDLER(page_log_in)
HANDLER(page_log_out)
HANDLER(page_link)
HANDLER(page_use_link)
HANDLER(page_account)
HANDLER(page_account_password)
HANDLER(page_account_token)
HANDLER(page_account_revoke)
HANDLER(page_users)
HANDLER(page_add_user)
HANDLER(page_user_link)
HANDLER(page_user_disable)
HANDLER(deliver)
HANDLER(published)
HANDLER(object)
HANDLER(asset)
HANDLER(log_stream)
HANDLER(log_raw)
HANDLER(api_projects)
HANDLER(api_project)
HANDLER(api_builds)
HANDLER(api_build)
HANDLER(api_job)
HANDLER(api_queue)
HANDLER(api_channels)
HANDLER(api_events)
HANDLER(api_user)
HANDLER(api_create_project)
HANDLER(api_fork)
HANDLER(api_start_build)
HANDLER(api_retry)
HANDLER(api_cancel)
HANDLER(api_credentials)
HANDLER(api_set_credential)
HANDLER(api_remove_credential)
HANDLER(api_limits)
HANDLER(api_sources)
HANDLER(api_add_source)
HANDLER(api_remove_source)
HANDLER(api_channel)
HANDLER(api_set_channel)
HANDLER(api_release)
HANDLER(api_halt)
HANDLER(api_release_files)
HANDLER(api_approve)
HANDLER(api_withdraw)
HANDLER(api_missing)

/* Fixed words before ":", which fits everything. */
static const HttpRoute table[] = {
        {"GET", "/", on_page_home},
        {"GET", "/queue", on_page_queue},
        {"GET", "/new", on_page_new_project},
        {"POST", "/new", on_page_create_project},
        {"GET", "/login", on_page_login},
        {"POST", "/login", on_page_log_in},
        {"POST", "/logout", on_page_log_out},
        {"GET", "/link/:", on_page_link},
        {"POST", "/link/:", on_page_use_link},
        {"GET", "/account", on_page_account},
        {"POST", "/account/password", on_page_account_password},
        {"POST", "/account/tokens", on_page_account_token},
        {"POST", "/account/tokens/:/revoke", on_page_account_revoke},
        {"GET", "/users", on_page_users},
        {"POST", "/users", on_page_add_user},
        {"POST", "/users/:/link", on_page_user_link},
        {"POST", "/users/:/disable", on_page_user_disable},
        {"POST", "/hooks/:", on_deliver, DELIVER_BODY_MAX},
        {"GET", "/pub/+", on_published},
        {"GET", "/sha256/:", on_object},
        {"GET", "/static/:", on_asset},
        {"GET", "/api/v1/user", on_api_user},
        {"GET", "/api/v1/queue", on_api_queue},
        {"GET", "/api/v1/projects", on_api_projects},
        {"POST", "/api/v1/projects", on_api_create_project, API_BODY_MAX},
        {"GET", "/api/v1/projects/:/:", on_api_project},
        {"POST", "/api/v1/projects/:/:/fork", on_api_fork, API_BODY_MAX},
        {"GET", "/api/v1/projects/:/:/builds", on_api_builds},
        {"POST", "/api/v1/projects/:/:/builds", on_api_start_build, API_BODY_MAX},
        {"GET", "/api/v1/projects/:/:/builds/:", on_api_build},
        {"POST", "/api/v1/projects/:/:/builds/:/retry", on_api_retry, API_BODY_MAX},
        {"POST", "/api/v1/projects/:/:/builds/:/cancel", on_api_cancel, API_BODY_MAX},
        {"POST", "/api/v1/projects/:/:/builds/:/withdraw", on_api_withdraw, API_BODY_MAX},
        {"POST", "/api/v1/projects/:/:/limits", on_api_limits, API_BODY_MAX},
        {"GET", "/api/v1/projects/:/:/sources", on_api_sources},
        {"POST", "/api/v1/projects/:/:/sources", on_api_add_source, API_BODY_MAX},
        {"POST", "/api/v1/projects/:/:/sources/:/remove", on_api_remove_source, API_BODY_MAX},
        {"GET", "/api/v1/projects/:/:/channels", on_api_channels},
        {"POST", "/api/v1/projects/:/:/channels", on_api_set_channel, API_BODY_MAX},
        {"GET", "/api/v1/projects/:/:/channels/:", on_api_channel},
        {"POST", "/api/v1/projects/:/:/channels/:/release", on_api_release, API_BODY_MAX},
        {"POST", "/api/v1/projects/:/:/channels/:/halt", on_api_halt, API_BODY_MAX},
        {"GET", "/api/v1/projects/:/:/channels/:/releases/:", on_api_release_files},
        {"POST", "/api/v1/projects/:/:/channels/:/releases/:/approve", on_api_approve, API_BODY_MAX},
        {"GET", "/api/v1/projects/:/:/events", on_api_events},
        {"GET", "/api/v1/projects/:/:/credentials", on_api_credentials},
        {"POST", "/api/v1/projects/:/:/credentials", on_api_set_credential, API_BODY_MAX},
        {"POST", "/api/v1/projects/:/:/credentials/:/remove", on_api_remove_credential, API_BODY_MAX},
        {"GET", "/api/v1/jobs/:", on_api_job},
        {"GET", "/api/v1/jobs/:/log", on_log_stream},
        {"GET", "/api/v1/jobs/:/log.txt", on_log_raw},
        {"GET", "/:", on_page_namespace},
        {"GET", "/:/:", on_page_project},
        {"GET", "/:/:/badge.svg", on_page_badge},
        {"POST", "/:/:/build", on_page_build_now},
        {"POST", "/:/:/fork", on_page_fork},
        {"GET", "/:/:/builds/:", on_page_build},
        {"POST", "/:/:/builds/:/retry", on_page_retry},
        {"POST", "/:/:/builds/:/cancel", on_page_cancel},
        {"GET", "/:/:/builds/:/jobs/:/log", on_page_log},
        {"GET", "/:/:/channels/:", on_page_channel},
        {"POST", "/:/:/channels", on_page_set_channel},
        {"POST", "/:/:/channels/:/release", on_page_release},
        {"POST", "/:/:/channels/:/halt", on_page_halt},
        {"POST", "/:/:/channels/:/withdraw", on_page_withdraw},
        {"GET", "/:/:/keys", on_page_keys},
        {"GET", "/:/:/keys/:", on_page_key_file},
        {"GET", "/:/:/settings", on_page_settings},
        {"POST", "/:/:/settings/project", on_page_settings_project},
        {"POST", "/:/:/settings/members", on_page_settings_member},
        {"POST", "/:/:/settings/hooks", on_page_settings_hook},
        {"GET", "/:/:/settings/hooks/:", on_page_deliveries},
        {"POST", "/:/:/settings/credentials", on_page_settings_credential},
        {"POST", "/:/:/settings/credentials/:/remove", on_page_settings_remove_credential},
        {"POST", "/:/:/settings/rights", on_page_settings_rights},
        {NULL},
};

const HttpRoute *routes(void) {
    return table;
}

static void page_missing(Visit *visit) {
    if (soup_server_message_get_status(visit->http->message) == SOUP_STATUS_METHOD_NOT_ALLOWED)
        frame_message(visit, SOUP_STATUS_METHOD_NOT_ALLOWED, "This address does not take that.");
    else
        frame_not_found(visit);
}

void route_missing(HttpRequest *request, gpointer site) {
    if (g_str_has_prefix(request->path, "/api/"))
        on_api_missing(request, site);
    else
        answer(request, site, page_missing);
}
