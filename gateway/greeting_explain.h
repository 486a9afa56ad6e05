/* ferrule explain, for the packets of greetings: kinds 0 and 3. */
#ifndef FERRULE_GATEWAY_GREETING_EXPLAIN_H
#define FERRULE_GATEWAY_GREETING_EXPLAIN_H

#include "cli.h"
#include "ferrule/greeting.h"

/* Tells the gateway's steps. `key` is the file of its static secret; null: they end before it is
 * needed. True: a gateway without load would answer. */
bool greeting_explain(const struct view *view, const char *key, const uint8_t *packet, size_t n,
                      const fer_greeting *greeting);

#endif
