/* Bench: times one subject against another, and the other against itself.
 *     host_time SUBJECT BASE BYTES
 * Prints two ratios: SUBJECT over BASE, and BASE over BASE (what noise alone makes of 1).
 *
 * Each round times a batch of each, in turn who goes first, within microseconds of each other, and
 * yields one ratio; the median of the rounds is what the machine's other work disturbs least. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "subject.h"

enum { ROUNDS = 1500, WARM_UP = 100, RUNNERS = 3 };

static struct subject subject;
static double ratios[2][ROUNDS];

static double read_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds of one batch; below zero if a call failed. */
static double time_batch(run_subject *run)
{
    bool good = subject_prepare(&subject, run == run_refuse);
    double from = read_clock();

    for (size_t i = 0; i < SLOTS; i++) {
        good = run(&subject, &subject.slots[i]) && good;
    }
    double took = read_clock() - from;
    return good ? took : -1;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double take_median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

/* Times subject, base and base again, beginning with another one each round. */
static bool run_round(run_subject *const runners[RUNNERS], unsigned round)
{
    double took[RUNNERS];

    for (unsigned i = 0; i < RUNNERS; i++) {
        unsigned which = (i + round) % RUNNERS;
        took[which] = time_batch(runners[which]);
        if (took[which] <= 0) {
            return false;
        }
    }
    if (round >= WARM_UP) {
        ratios[0][round - WARM_UP] = took[0] / took[1];
        ratios[1][round - WARM_UP] = took[2] / took[1];
    }
    return true;
}

int main(int argc, char **argv)
{
    bool good = argc == 4;
    run_subject *base = good ? find_subject(argv[2]) : NULL;
    run_subject *const runners[RUNNERS] = {good ? find_subject(argv[1]) : NULL, base, base};

    good = good && runners[0] != NULL && base != NULL &&
           subject_start(&subject, (size_t)strtoul(argv[3], NULL, 10));
    for (unsigned round = 0; good && round < WARM_UP + ROUNDS; round++) {
        good = run_round(runners, round);
    }
    if (!good) {
        (void)fprintf(stderr, "host_time: a call did not do what it is timed for\n");
        return EXIT_FAILURE;
    }
    (void)printf("%.5f %.5f\n", take_median(ratios[0]), take_median(ratios[1]));
    return EXIT_SUCCESS;
}
