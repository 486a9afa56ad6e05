/* Bench: calls one subject often, for callgrind to count. Prints how many calls that was.
 *     host_count SUBJECT BYTES */
#include <stdio.h>
#include <stdlib.h>

#include "subject.h"

enum { ROUNDS = 8 };

static struct subject subject;

int main(int argc, char **argv)
{
    run_subject *run = argc == 3 ? find_subject(argv[1]) : NULL;
    bool good = run != NULL && subject_start(&subject, (size_t)strtoul(argv[2], NULL, 10));

    for (unsigned round = 0; good && round < ROUNDS; round++) {
        good = subject_prepare(&subject, run == run_refuse);
        for (size_t i = 0; good && i < SLOTS; i++) {
            good = run(&subject, &subject.slots[i]);
        }
    }
    if (!good) {
        (void)fprintf(stderr, "host_count: a call did not do what it is counted for\n");
        return EXIT_FAILURE;
    }
    (void)printf("%u\n", ROUNDS * SLOTS);
    return EXIT_SUCCESS;
}
