/* Bench: Ferrule beside what Debian ships, all in one process.
 *     compare ROUNDS
 * prints lines of words, separated by tabs:
 *     peer    NAME VERSION KEPT HEAP HEAP_PEAK HEAP_CALLS       of one end, as `compare` made it
 *     record  NAME BYTES RECORD_BYTES HEAP_CALLS                of one record, sealed and opened
 *     time    NAME BYTES seal|open RATIO NANOSECONDS            RATIO over bare libsodium
 *
 * In each round every peer seals a batch, then opens it, within microseconds of the others; who
 * begins changes from round to round. A ratio is the median of the rounds' ratios. Every record
 * that is opened must hold what was sealed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heap.h"
#include "peer.h"
#include "wire.h"

enum { ROUNDS_MAX = 4096, WARM_UP = 20, BATCH = 32, DIRECTIONS = 2 };

const uint8_t peer_key[PEER_KEY_BYTES] = "0123456789abcdef0123456789abcde";
const char peer_identity[] = "pump";

static const struct peer *const peers[] = {&peer_bare,    &peer_ferrule, &peer_framed,
                                           &peer_openssl, &peer_mbedtls, &peer_wolfssl};
enum { PEERS = sizeof peers / sizeof peers[0] };
static const size_t sizes[] = {32, 64, 256, 1024};
static const char *const directions[DIRECTIONS] = {"seal", "open"};

struct message {
    uint8_t text[PEER_TEXT_MAX];
    uint8_t record[PEER_RECORD_MAX];
    uint8_t out[PEER_RECORD_MAX];
    size_t record_length;
    size_t length;
};

static struct message messages[BATCH];
static double took[PEERS][DIRECTIONS][ROUNDS_MAX];

static double read_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* What was opened is what was sealed, and was sealed indeed. */
static bool is_whole(const struct message *message, size_t n)
{
    return message->length == n && memcmp(message->out, message->text, n) == 0 &&
           memcmp(message->record, message->text, n) != 0;
}

static void write_texts(size_t n, unsigned round)
{
    for (size_t i = 0; i < BATCH; i++) {
        for (size_t j = 0; j < n; j++) {
            messages[i].text[j] = (uint8_t)(j * 7 + i + round);
        }
        memset(messages[i].out, 0, n);
    }
}

/* One batch, sealed and opened; nanoseconds of each go to `spent`. */
static bool run_batch(const struct peer *peer, size_t n, unsigned round, double spent[DIRECTIONS])
{
    bool good = peer->prepare == NULL || peer->prepare();

    write_texts(n, round);
    const double from = read_clock();
    for (size_t i = 0; i < BATCH; i++) {
        struct message *m = &messages[i];
        good = peer->seal(m->text, n, m->record, &m->record_length) && good;
    }
    const double between = read_clock();
    for (size_t i = 0; i < BATCH; i++) {
        struct message *m = &messages[i];
        good = peer->open(m->record, m->record_length, m->out, &m->length) && good;
    }
    spent[0] = between - from;
    spent[1] = read_clock() - between;
    for (size_t i = 0; good && i < BATCH; i++) {
        good = is_whole(&messages[i], n);
    }
    return good;
}

static bool fail(const struct peer *peer, const char *what)
{
    (void)fprintf(stderr, "compare: %s cannot %s\n", peer->name, what);
    return false;
}

static bool run_rounds(size_t n, unsigned rounds)
{
    for (unsigned round = 0; round < WARM_UP + rounds; round++) {
        for (unsigned i = 0; i < PEERS; i++) {
            const unsigned which = (i + round) % PEERS;
            double spent[DIRECTIONS];

            if (!run_batch(peers[which], n, round, spent)) {
                return fail(peers[which], "seal and open what it is timed for");
            }
            for (unsigned d = 0; round >= WARM_UP && d < DIRECTIONS; d++) {
                took[which][d][round - WARM_UP] = spent[d];
            }
        }
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double take_median(double *values, unsigned n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

static void print_times(size_t n, unsigned rounds)
{
    static double ratios[ROUNDS_MAX];

    for (unsigned i = PEERS; i-- > 0;) { /* the first, bare libsodium, is sorted last */
        for (unsigned d = 0; d < DIRECTIONS; d++) {
            for (unsigned r = 0; r < rounds; r++) {
                ratios[r] = took[i][d][r] / took[0][d][r];
            }
            const double ratio = take_median(ratios, rounds);
            (void)printf("time\t%s\t%zu\t%s\t%.4f\t%.1f\n", peers[i]->name, n, directions[d], ratio,
                         take_median(took[i][d], rounds) / BATCH);
        }
    }
}

/* The second link of each tells what one takes: the first has paid for what all share. */
static bool start_peer(const struct peer *peer)
{
    if (!peer->start()) {
        return fail(peer, "start");
    }
    peer->stop();
    wire_heap = (struct heap){0};
    (void)heap_charge(&wire_heap);
    const bool again = peer->start();
    (void)heap_charge(NULL);
    if (!again) {
        return fail(peer, "start again");
    }
    (void)printf("peer\t%s\t%s\t%zu\t%ld\t%ld\t%zu\n", peer->name,
                 peer->version != NULL ? peer->version() : "this tree", peer->kept, wire_heap.live,
                 wire_heap.peak, wire_heap.calls);
    return true;
}

static bool count_heap(const struct peer *peer, size_t n)
{
    struct heap heap = {0};
    double spent[DIRECTIONS];

    (void)heap_charge(&heap);
    const bool good = run_batch(peer, n, 0, spent);
    (void)heap_charge(NULL);
    (void)printf("record\t%s\t%zu\t%zu\t%.2f\n", peer->name, n, messages[0].record_length,
                 (double)heap.calls / BATCH);
    return good || fail(peer, "seal and open");
}

int main(int argc, char **argv)
{
    const unsigned long rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    bool good = rounds > 0 && rounds <= ROUNDS_MAX;

    for (unsigned i = 0; good && i < PEERS; i++) {
        good = start_peer(peers[i]);
    }
    for (size_t s = 0; good && s < sizeof sizes / sizeof sizes[0]; s++) {
        good = run_rounds(sizes[s], (unsigned)rounds);
        for (unsigned i = 0; good && i < PEERS; i++) {
            good = count_heap(peers[i], sizes[s]);
        }
        if (good) {
            print_times(sizes[s], (unsigned)rounds);
        }
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
