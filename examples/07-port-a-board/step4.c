/* Step 4: the flash driver keeps its contract, and a store lives over it through power cuts: as
 * ports/template/prove.c, with this board in it. IT DESTROYS WHAT IS STORED IN THE REGION. */
#include <stdio.h>

#include "ferrule/conformance.h"
#include "port.h"

FER_CONFORMANCE_MEMORY(memory, BOARD_BLOCKS, BOARD_GRANULE);

static void report(void *context, const fer_conformance_finding *finding)
{
    (void)context;
    printf("%s: %s Block %ld, offset %ld.\n", finding->name, finding->sentence,
           (long)finding->block, (long)finding->offset);
}

static const struct fer_conformance_ops hooks = {report, 0, 0};

int main(void)
{
    const fer_conformance_config config = {
        .nv = board_nv(),
        .destroy = FER_CONFORMANCE_DESTROY_THE_REGION,
        .flags = FER_CONFORMANCE_ASK_OUTSIDE,
        .erases = 20,
        .programs = 20000,
        .lives = 100,
        .seed = 1,
        .ops = &hooks,
        .memory = memory,
        .cells = sizeof memory / sizeof memory[0],
    };
    fer_conformance_result driver, strict;

    if (fer_conformance_check_driver(&config, &driver) != FER_OK ||
        fer_conformance_check_store(&config, FER_STORE_STRICT, &strict) != FER_OK) {
        return 1;
    }
    printf("nothing found, %ld power cuts survived\n", (long)strict.cuts);
    return 0;
}
