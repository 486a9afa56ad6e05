/* Ferrule gateway: senders. What the source addresses of datagrams may still waste of our time.
 *
 * Each address has a bucket of refusals that refills with time. Addresses can be spoofed, and so be
 * as many as a flood likes: the table is bounded, and the time that refusals take is rationed
 * besides, once for strangers and once for addresses that an accepted record came from. So a flood
 * from anywhere costs known devices nothing, and all floods together at most half a core.
 * Never keyed by the route a record claims, which anyone can claim. */
#ifndef FERRULE_GATEWAY_SENDERS_H
#define FERRULE_GATEWAY_SENDERS_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/socket.h>

struct senders;

/* What one address may still waste. */
struct sender {
    uint64_t key; /* of the address, whatever its port; 0: free */
    int64_t used_us;
    int64_t refilled_us;
    uint32_t tokens;
    bool known; /* an accepted record came from it */
    bool told;  /* that it is limited, until its bucket is full again */
};

/* Null: out of memory, or no entropy for the order of the table. */
struct senders *senders_create(void);
void senders_free(struct senders *senders);

/* Monotonic time in microseconds. */
int64_t senders_now(void);

/* The bucket of an address, until the next call. Known addresses keep their place; strangers
 * displace each other, and share one bucket where known ones have taken every place. */
struct sender *senders_find(struct senders *senders, const struct sockaddr_storage *address,
                            int64_t now_us);

/* True: what it sent may be looked at. */
bool senders_admit(struct senders *senders, const struct sender *sender, int64_t now_us);

/* True: strangers have used up more than half of what may be saved up of their ration. */
bool senders_are_pressed(const struct senders *senders);

/* It was accepted: the address is known from now on. */
void senders_accepted(struct senders *senders, struct sender *sender);

/* It was refused, after this long. */
void senders_refused(struct senders *senders, struct sender *sender, int64_t took_us);

#endif
