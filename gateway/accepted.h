/* Ferrule gateway: a record that was opened and accepted, on its way to the database. */
#ifndef FERRULE_GATEWAY_ACCEPTED_H
#define FERRULE_GATEWAY_ACCEPTED_H

#include <stdbool.h>
#include <stdint.h>

#include "contexts.h"
#include "ferrule/record.h"
#include "ferrule/telemetry.h"

#define LINK_NAME_SIZE 80u

struct accepted {
    struct accepted *next;
    struct device *device;
    fer_opened opened;
    fer_greeted session; /* kind 2: the greeting that its session began with */
    int64_t received_ms; /* since 1970 */
    char link[LINK_NAME_SIZE];
    bool late;        /* of an older generation than the newest of its device */
    bool malformed;   /* authentic, but no envelope */
    bool keep;        /* malformed, or with arms that this build does not know: kept as it is */
    bool duplicate;   /* the database had it: state was restored from a backup */
    bool contradicts; /* a duplicate, and the database has another record of this number */
    uint8_t tag[DATABASE_TAG_BYTES]; /* as received */
    size_t size; /* of bytes; the plaintext is the first opened.length of them */
    uint8_t bytes[];
};

/* Places times that count from a device's start, which it cannot know: the newest such time in a
 * live record is taken for the moment of arrival. A backlog record arrives any time later, so its
 * times since start stay unplaced. */
struct placing {
    int64_t received_ms;
    int64_t newest_boot_ms;
    bool can_place;
};

/* Fills malformed and keep. */
void accepted_judge(struct accepted *record);

struct placing placing_of(const struct accepted *record);
bool placing_find(const struct placing *placing, int64_t time_ms, fer_time_base base,
                  int64_t *unix_ms);

/* What tells it from all others of its device: rows, lines and alarms call it so. */
struct record_key accepted_key(const struct accepted *record);

/* Rows of one record, inside the caller's transaction; sets record->duplicate. */
int rows_add(struct database *db, struct accepted *record);

/* One JSON line for each record and for each item in it. */
void lines_print(FILE *out, const struct accepted *record);

/* One for a command that was closed without a result. */
struct command;
void lines_print_closed(FILE *out, const struct command *command);

/* The same for people: `ferrule decode`. */
void plain_print(FILE *out, const struct accepted *record);

#endif
