/* Tests: framing against the pairs of an independent COBS encoder (cobs-python). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferrule/frame.h"
#include "vectors/json_file.h"

enum { PLAIN_MAX = 1024 };

FER_ARENA(arena, FER_FRAME_DECODER_SIZE(PLAIN_MAX));
static fer_frame_decoder *decoder;
static cJSON *file;

typedef struct pair {
    uint8_t plain[PLAIN_MAX];
    size_t plain_length;
    uint8_t encoded[FER_FRAME_SIZE(PLAIN_MAX)];
    size_t encoded_length; /* with the delimiter, which the file leaves out */
} pair;

static void read_pair(const cJSON *item, pair *out)
{
    out->plain_length = json_file_hex(item, "plain", out->plain, sizeof out->plain);
    out->encoded_length = json_file_hex(item, "encoded", out->encoded, sizeof out->encoded - 1) + 1;
    out->encoded[out->encoded_length - 1] = 0;
}

static void every_plain_encodes_to_its_pair(void **state)
{
    static uint8_t out[FER_FRAME_SIZE(PLAIN_MAX)];
    static pair p;
    const cJSON *item;
    size_t ran = 0;

    (void)state;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(file, "pairs"))
    {
        size_t length;

        read_pair(item, &p);
        assert_int_equal(
            fer_frame_encode(p.plain, p.plain_length, out, FER_FRAME_SIZE(p.plain_length), &length),
            FER_OK);
        assert_int_equal(length, p.encoded_length);
        assert_memory_equal(out, p.encoded, length);
        ran++;
    }
    assert_int_equal(ran, 14);
}

static void every_encoded_decodes_to_its_pair(void **state)
{
    static pair p;
    const cJSON *item;
    size_t ran = 0;

    (void)state;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(file, "pairs"))
    {
        uint8_t *frame;
        size_t used;
        size_t length;

        read_pair(item, &p);
        assert_int_equal(
            fer_frame_decoder_feed(decoder, p.encoded, p.encoded_length, &used, &frame, &length),
            FER_OK);
        assert_int_equal(used, p.encoded_length);
        assert_int_equal(length, p.plain_length);
        assert_memory_equal(frame, p.plain, length);
        ran++;
    }
    assert_int_equal(ran, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plain_encodes_to_its_pair),
        cmocka_unit_test(every_encoded_decodes_to_its_pair),
    };
    int failed;

    file = json_file_load("cobs/cobs_python_pairs.json");
    if (fer_frame_decoder_create(&arena, PLAIN_MAX, &decoder) != FER_OK) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    cJSON_Delete(file);
    return failed;
}
