/* Ferrule gateway: sessions. The responder over the core's contexts, with the static keys that the
 * registry pins and the marks that the database holds. Sessions are in memory alone: they end with
 * the process, or when their device may no longer have one. */
#ifndef FERRULE_GATEWAY_SESSIONS_H
#define FERRULE_GATEWAY_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "contexts.h"
#include "ferrule/responder.h"

struct sessions {
    fer_arena arena;
    fer_arena_cell *storage;
    fer_responder *responder; /* null: no key, so no greeting is answered */
    fer_static_public own;
};

/* Lets the open devices with a static key greet. `key` is the file of the gateway's own static
 * secret; null: nobody may, and a line says so where the registry expects otherwise. */
bool sessions_load(struct sessions *sessions, const char *key, const struct contexts *contexts,
                   fer_entropy entropy, struct fault *fault);

/* Takes over what goes on when the registry is read again: the sessions of devices that may still
 * greet, with the same key, at a gateway that still has its own. The others end with `former`. */
void sessions_keep(const struct sessions *sessions, const struct contexts *contexts,
                   const struct sessions *former, const struct contexts *former_contexts);

/* As the core's two calls in one, for a record of kind 2 on its way up; *mark is that of the
 * greeting that its session began with. */
fer_status sessions_receive(const struct sessions *sessions, const struct contexts *contexts,
                            const uint8_t *record, size_t n, uint8_t *out, fer_opened *opened,
                            fer_greeted *mark);

/* Closes a device's sessions, and answers no greeting of it from now on. */
void sessions_forget(const struct sessions *sessions, struct device *device);

/* Ends the sessions that come of greetings before `before_ms`, answered or used; how many devices
 * lost one. The device greets again once nobody answers it. */
size_t sessions_expire(const struct sessions *sessions, const struct contexts *contexts,
                       int64_t before_ms);

/* Seals down in the context that the device was heard in last: its session, or the provisioned one.
 * What the plaintext refers to is of that context: see sessions_reference. */
fer_status sessions_seal(const struct sessions *sessions, const struct contexts *contexts,
                         const struct device *device, const uint8_t *plaintext, size_t n,
                         uint8_t *out, size_t capacity, size_t *length);

/* The newest live record of that context, as the device numbers it there. */
struct reference {
    uint32_t generation;
    uint32_t sequence;
};
struct reference sessions_reference(const struct device *device);

/* How many devices have one. */
size_t sessions_count(const struct contexts *contexts);

/* Wipes every key. */
void sessions_free(struct sessions *sessions);

#endif
