#ifndef CPOSTGRES_H
#define CPOSTGRES_H

/// libpq, loaded when it is first asked for: a program that never talks to PostgreSQL needs none installed. Functions
/// have the names, arguments and results of libpq's (https://www.postgresql.org/docs/15/libpq.html), with `lkpq` for
/// `PQ`; none may be called before lkpq_load has returned NULL.

#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Loads libpq, once for all threads. NULL, or why it cannot be had, for a person; the text lives as long as the
/// program.
const char *lkpq_load(void);

/// Like PQconnectStartParams with expand_dbname; NULL only where there is no memory.
PGconn *lkpq_connect_start(const char *const *keywords, const char *const *values);
PostgresPollingStatusType lkpq_connect_poll(PGconn *connection);
ConnStatusType lkpq_status(const PGconn *connection);
int lkpq_socket(const PGconn *connection);
char *lkpq_error_message(const PGconn *connection);
void lkpq_finish(PGconn *connection);
/// Leaves out the server's notices, which libpq would print.
void lkpq_silence_notices(PGconn *connection);

/// Like PQconninfoParse. 0, or -1 with an error to be freed by lkpq_free.
int lkpq_check_conninfo(const char *conninfo, char **error);

int lkpq_send_query(PGconn *connection, const char *sql);
int lkpq_send_prepare(PGconn *connection, const char *name, const char *sql);
int lkpq_send_prepared(PGconn *connection, const char *name, int count, const char *const *values, const int *lengths,
                       const int *formats);
int lkpq_consume_input(PGconn *connection);
int lkpq_is_busy(PGconn *connection);
int lkpq_flush(PGconn *connection);
int lkpq_set_nonblocking(PGconn *connection);
PGresult *lkpq_get_result(PGconn *connection);
PGnotify *lkpq_notifies(PGconn *connection);

ExecStatusType lkpq_result_status(const PGresult *result);
char *lkpq_result_error_field(const PGresult *result, int field);
char *lkpq_result_error_message(const PGresult *result);
int lkpq_row_count(const PGresult *result);
int lkpq_column_count(const PGresult *result);
char *lkpq_value(const PGresult *result, int row, int column);
int lkpq_is_null(const PGresult *result, int row, int column);
int lkpq_length(const PGresult *result, int row, int column);
char *lkpq_command_rows(PGresult *result);
void lkpq_clear(PGresult *result);
void lkpq_free(void *memory);

/// SQLSTATE and primary message, as fields of lkpq_result_error_field. (Swift sees no character constants.)
extern const int lkpq_field_sqlstate;
extern const int lkpq_field_message;

#ifdef __cplusplus
}
#endif

#endif
