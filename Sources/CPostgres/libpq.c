#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

#include "CPostgres.h"

// Every function of libpq that is used, with its type from libpq's own header.
#define LKPQ_FUNCTIONS(X)   \
    X(PQconnectStartParams) \
    X(PQconnectPoll)        \
    X(PQstatus)             \
    X(PQsocket)             \
    X(PQerrorMessage)       \
    X(PQfinish)             \
    X(PQsetNoticeProcessor) \
    X(PQconninfoParse)      \
    X(PQconninfoFree)       \
    X(PQsendQuery)          \
    X(PQsendPrepare)        \
    X(PQsendQueryPrepared)  \
    X(PQconsumeInput)       \
    X(PQisBusy)             \
    X(PQflush)              \
    X(PQsetnonblocking)     \
    X(PQgetResult)          \
    X(PQnotifies)           \
    X(PQresultStatus)       \
    X(PQresultErrorField)   \
    X(PQresultErrorMessage) \
    X(PQntuples)            \
    X(PQnfields)            \
    X(PQgetvalue)           \
    X(PQgetisnull)          \
    X(PQgetlength)          \
    X(PQcmdTuples)          \
    X(PQclear)              \
    X(PQfreemem)

#define LKPQ_MEMBER(name) __typeof__(name) *name;
static struct { LKPQ_FUNCTIONS(LKPQ_MEMBER) } pq;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512];

static void load(void) {
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(failure, sizeof failure,
                 "PostgreSQL's client library cannot be loaded; install it (on Debian: apt-get install libpq5): %s",
                 dlerror());
        return;
    }
#define LKPQ_LOOK_UP(name)                                                                   \
    pq.name = (__typeof__(pq.name))dlsym(library, #name);                                    \
    if (pq.name == NULL) {                                                                   \
        snprintf(failure, sizeof failure,                                                    \
                 "PostgreSQL's client library is too old: it lacks %s; version 13 or newer " \
                 "is needed",                                                                \
                 #name);                                                                     \
        return;                                                                              \
    }
    LKPQ_FUNCTIONS(LKPQ_LOOK_UP)
}

const char *lkpq_load(void) {
    pthread_once(&once, load);
    return failure[0] == '\0' ? NULL : failure;
}

const int lkpq_field_sqlstate = PG_DIAG_SQLSTATE;
const int lkpq_field_message = PG_DIAG_MESSAGE_PRIMARY;

PGconn *lkpq_connect_start(const char *const *keywords, const char *const *values) {
    return pq.PQconnectStartParams(keywords, values, 1);
}

PostgresPollingStatusType lkpq_connect_poll(PGconn *connection) { return pq.PQconnectPoll(connection); }

ConnStatusType lkpq_status(const PGconn *connection) { return pq.PQstatus(connection); }

int lkpq_socket(const PGconn *connection) { return pq.PQsocket(connection); }

char *lkpq_error_message(const PGconn *connection) { return pq.PQerrorMessage(connection); }

void lkpq_finish(PGconn *connection) { pq.PQfinish(connection); }

static void ignore_notice(void *context, const char *message) {
    (void)context;
    (void)message;
}

void lkpq_silence_notices(PGconn *connection) { pq.PQsetNoticeProcessor(connection, ignore_notice, NULL); }

int lkpq_check_conninfo(const char *conninfo, char **error) {
    *error = NULL;
    PQconninfoOption *options = pq.PQconninfoParse(conninfo, error);
    if (options == NULL) return -1;
    pq.PQconninfoFree(options);
    return 0;
}

int lkpq_send_query(PGconn *connection, const char *sql) { return pq.PQsendQuery(connection, sql); }

int lkpq_send_prepare(PGconn *connection, const char *name, const char *sql) {
    return pq.PQsendPrepare(connection, name, sql, 0, NULL);
}

int lkpq_send_prepared(PGconn *connection, const char *name, int count, const char *const *values, const int *lengths,
                       const int *formats) {
    return pq.PQsendQueryPrepared(connection, name, count, values, lengths, formats, 0);
}

int lkpq_consume_input(PGconn *connection) { return pq.PQconsumeInput(connection); }

int lkpq_is_busy(PGconn *connection) { return pq.PQisBusy(connection); }

int lkpq_flush(PGconn *connection) { return pq.PQflush(connection); }

int lkpq_set_nonblocking(PGconn *connection) { return pq.PQsetnonblocking(connection, 1); }

PGresult *lkpq_get_result(PGconn *connection) { return pq.PQgetResult(connection); }

PGnotify *lkpq_notifies(PGconn *connection) { return pq.PQnotifies(connection); }

ExecStatusType lkpq_result_status(const PGresult *result) { return pq.PQresultStatus(result); }

char *lkpq_result_error_field(const PGresult *result, int field) { return pq.PQresultErrorField(result, field); }

char *lkpq_result_error_message(const PGresult *result) { return pq.PQresultErrorMessage(result); }

int lkpq_row_count(const PGresult *result) { return pq.PQntuples(result); }

int lkpq_column_count(const PGresult *result) { return pq.PQnfields(result); }

char *lkpq_value(const PGresult *result, int row, int column) { return pq.PQgetvalue(result, row, column); }

int lkpq_is_null(const PGresult *result, int row, int column) { return pq.PQgetisnull(result, row, column); }

int lkpq_length(const PGresult *result, int row, int column) { return pq.PQgetlength(result, row, column); }

char *lkpq_command_rows(PGresult *result) { return pq.PQcmdTuples(result); }

void lkpq_clear(PGresult *result) { pq.PQclear(result); }

void lkpq_free(void *memory) { pq.PQfreemem(memory); }
