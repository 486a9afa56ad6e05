/* The receiver against the model, at length. A part of it runs everywhere as unit/test_receiver.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MODEL_GENERATIONS 16384
#define MODEL_NUMBERS 20000
#include "model/receiver_world.h"

enum { RUNS = 6, STEPS = 20000 };

static void the_receiver_is_its_model(void **state)
{
    test_random random = test_random_start("model_receiver");

    (void)state;
    for (uint32_t run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < sizeof model_shapes / sizeof model_shapes[0]; i++) {
            random.state++;
            world_run(&model_shapes[i], random, STEPS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_receiver_is_its_model)};

    return cmocka_run_group_tests_name("model_receiver", tests, NULL, NULL);
}
