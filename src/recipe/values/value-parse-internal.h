/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parsers of single types, for value-parse.c only. */

#include "recipe/language/settings.h"
#include "recipe/values/parse-context.h"
#include "recipe/values/value.h"

/* Sets ERROR to what the format says; returns NULL. */
Value *parse_failed(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Whether NAME can be that of a variable, or of a file (value-check.c). */
gboolean value_check_variable(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean value_check_file_name(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean parse_file_name(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

Value *parse_number(const Setting *setting, const char *text, GError **error);
gboolean parse_bytes(const char *text, gint64 *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
Value *parse_uuid(const char *text, GError **error);

/* The path as it is meant: variables and home expanded, checked, resolved; NULL with ERROR set. */
char *parse_path_text(const Setting *setting, const char *text, const ParseContext *context, GError **error);
Value *parse_path(const Setting *setting, const char *text, const ParseContext *context, GError **error);
void parse_script_glob(const char *pattern, const ParseContext *context, Value *list);
Value *parse_tree(const Setting *setting, const char *text, const ParseContext *context, GError **error);
Value *parse_key(const Setting *setting, const char *text, const ParseContext *context, GError **error);
gboolean check_secret(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

Value *parse_drive(const Setting *setting, const char *text, const ParseContext *context, GError **error);
gboolean parse_credential_path(const char *text, const ParseContext *context, Value *list, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean parse_credentials(char **words, Value *list, GError **error) G_GNUC_WARN_UNUSED_RESULT;
Value *parse_uki_profile(const Setting *setting, const char *text, const ParseContext *context, GError **error);
