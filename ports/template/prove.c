/* Proves the nv driver of port.c: a program of its own, for the host or the board. Link
 * ferrule::conformance and ferrule::ferrule. It ends with 0 where nothing was found.
 *
 * IT DESTROYS WHAT IS STORED IN THE REGION. Never run it on a device that holds a credential. */
#include <stdio.h>

#include "ferrule/conformance.h"
#include "port.h"

/* FILL IN: the block count and the granule of port.c. */
FER_CONFORMANCE_MEMORY(memory, 2, 8);

static void report(void *context, const fer_conformance_finding *finding)
{
    (void)context;
    printf("%s: %s Block %ld, offset %ld: expected %ld, got %ld.\n", finding->name,
           finding->sentence, (long)finding->block, (long)finding->offset, (long)finding->expected,
           (long)finding->got);
}

/* FILL IN, where there is a way, a reopen: close the driver and open it again, or switch the memory
 * off and on; and a fault: make its next operation fail. */
static const struct fer_conformance_ops hooks = {report, 0, 0};

int main(void)
{
    const fer_conformance_config config = {
        .nv = template_nv(),
        .destroy = FER_CONFORMANCE_DESTROY_THE_REGION,
        .erases = 50, /* of each block, for each of the three checks */
        .programs = 5000,
        .lives = 1000,
        .seed = 1,
        .ops = &hooks,
        .memory = memory,
        .cells = sizeof memory / sizeof memory[0],
    };
    fer_conformance_result driver, strict, block;

    if (fer_conformance_check_driver(&config, &driver) != FER_OK ||
        fer_conformance_check_store(&config, FER_STORE_STRICT, &strict) != FER_OK ||
        fer_conformance_check_store(&config, FER_STORE_BLOCK, &block) != FER_OK) {
        printf("This driver is not fit for Ferrule yet.\n");
        return 1;
    }
    printf("Nothing found. %ld power cuts survived%s.\n", (long)(strict.cuts + block.cuts),
           driver.complete ? "" : "; allow more wear to check the driver as a whole");
    return 0;
}
