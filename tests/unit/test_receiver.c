/* receiver: some steps of every shape of the model (tests/model/receiver_model.h), few enough for
 * an emulated microcontroller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/receiver_world.h"

enum { STEPS = 700 };

static void the_receiver_is_its_model(void **state)
{
    test_random random = test_random_start("receiver");

    (void)state;
    for (size_t i = 0; i < sizeof model_shapes / sizeof model_shapes[0]; i++) {
        random.state++;
        world_run(&model_shapes[i], random, STEPS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_receiver_is_its_model)};

    return cmocka_run_group_tests_name("receiver", tests, NULL, NULL);
}
