#include "senders.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "entropy.h"

#define SETS 1024u
#define WAYS 4u
#define REFUSALS_BURST 200u
#define REFUSAL_EVERY_US 10000 /* refills one */

/* Rations of time, strangers' and known addresses': of each second a quarter, saved up for no
 * longer than a burst. */
#define RATION_PART 4
#define RATION_BURST_US 100000

struct senders {
    uint64_t seed; /* so that nobody can choose addresses that meet in one set */
    struct sender rest;
    int64_t rationed_us;
    int64_t ration_us[2]; /* by `known`; below zero after a refusal that took long */
    struct sender places[SETS][WAYS];
};

int64_t senders_now(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct senders *senders_create(void)
{
    struct senders *senders = calloc(1, sizeof *senders);
    if (senders == NULL || !host_random(&senders->seed, sizeof senders->seed)) {
        free(senders);
        return NULL;
    }
    senders->rationed_us = senders_now();
    senders->ration_us[false] = RATION_BURST_US;
    senders->ration_us[true] = RATION_BURST_US;
    return senders;
}

void senders_free(struct senders *senders)
{
    free(senders);
}

static uint64_t stir(uint64_t key) /* the finaliser of MurmurHash3 */
{
    key = (key ^ key >> 33) * 0xFF51AFD7ED558CCDu;
    key = (key ^ key >> 33) * 0xC4CEB9FE1A85EC53u;
    return key ^ key >> 33;
}

static uint64_t key_of(uint64_t seed, const struct sockaddr_storage *address)
{
    uint64_t half[2] = {0};
    if (address->ss_family == AF_INET6) {
        memcpy(half, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof half);
    } else {
        half[0] = ((const struct sockaddr_in *)address)->sin_addr.s_addr;
    }
    const uint64_t key = stir(stir(stir(seed ^ address->ss_family) ^ half[0]) ^ half[1]);
    return key != 0 ? key : 1;
}

static void refill(struct sender *sender, int64_t now_us)
{
    const int64_t tokens = (now_us - sender->refilled_us) / REFUSAL_EVERY_US;
    if (tokens > 0) {
        sender->refilled_us += tokens * REFUSAL_EVERY_US;
        sender->tokens = tokens < REFUSALS_BURST - sender->tokens
                             ? sender->tokens + (uint32_t)tokens
                             : REFUSALS_BURST;
        sender->told = sender->told && sender->tokens < REFUSALS_BURST;
    }
    sender->used_us = now_us;
}

/* The place in a set that was not used for longest; `known` ones only if asked for. */
static struct sender *oldest_place(struct sender set[WAYS], bool known)
{
    struct sender *oldest = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].known == known && (oldest == NULL || set[i].used_us < oldest->used_us)) {
            oldest = &set[i];
        }
    }
    return oldest;
}

struct sender *senders_find(struct senders *senders, const struct sockaddr_storage *address,
                            int64_t now_us)
{
    const uint64_t key = key_of(senders->seed, address);
    struct sender *set = senders->places[key % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            refill(&set[i], now_us);
            return &set[i];
        }
    }
    struct sender *sender = oldest_place(set, false);
    if (sender == NULL) {
        sender = &senders->rest;
        sender->key = key;
        refill(sender, now_us);
        return sender;
    }
    *sender = (struct sender){
        .key = key, .used_us = now_us, .refilled_us = now_us, .tokens = REFUSALS_BURST};
    return sender;
}

bool senders_admit(struct senders *senders, const struct sender *sender, int64_t now_us)
{
    const int64_t gained = (now_us - senders->rationed_us) / RATION_PART;
    if (gained > 0) {
        senders->rationed_us += gained * RATION_PART;
        for (int i = 0; i < 2; i++) {
            senders->ration_us[i] = gained < RATION_BURST_US - senders->ration_us[i]
                                        ? senders->ration_us[i] + gained
                                        : RATION_BURST_US;
        }
    }
    return sender->tokens > 0 && senders->ration_us[sender->known] > 0;
}

bool senders_are_pressed(const struct senders *senders)
{
    return senders->ration_us[false] < RATION_BURST_US / 2;
}

void senders_accepted(struct senders *senders, struct sender *sender)
{
    if (sender == &senders->rest) {
        struct sender *place = oldest_place(senders->places[sender->key % SETS], true);
        *place = *sender;
        sender = place;
    }
    sender->known = true;
}

void senders_refused(struct senders *senders, struct sender *sender, int64_t took_us)
{
    sender->tokens -= sender->tokens > 0;
    senders->ration_us[sender->known] -= took_us;
}
