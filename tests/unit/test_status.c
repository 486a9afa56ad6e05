/* Ferrule tests: status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ferrule/status.h"

static const struct {
    fer_status status;
    fer_status_group group;
} all[] = {
    {FER_OK, FER_GROUP_OK},
    {FER_EMPTY, FER_GROUP_CALL_AGAIN},
    {FER_NOT_NOW, FER_GROUP_CALL_AGAIN},
    {FER_ERR_ARGUMENT, FER_GROUP_FIX_CALL},
    {FER_ERR_HANDLE, FER_GROUP_FIX_CALL},
    {FER_ERR_ARENA, FER_GROUP_FIX_CALL},
    {FER_ERR_CAPACITY, FER_GROUP_FIX_CALL},
    {FER_ERR_ORDER, FER_GROUP_FIX_CALL},
    {FER_DROP_MALFORMED, FER_GROUP_DROP_INPUT},
    {FER_DROP_ROUTE, FER_GROUP_DROP_INPUT},
    {FER_DROP_OLD, FER_GROUP_DROP_INPUT},
    {FER_DROP_FAR, FER_GROUP_DROP_INPUT},
    {FER_DROP_REPLAY, FER_GROUP_DROP_INPUT},
    {FER_DROP_FORGED, FER_GROUP_DROP_INPUT},
    {FER_DROP_VERSION, FER_GROUP_DROP_INPUT},
    {FER_DROP_BINDING, FER_GROUP_DROP_INPUT},
    {FER_RENEW_MISSING, FER_GROUP_RENEW_KEYS},
    {FER_RENEW_EXHAUSTED, FER_GROUP_RENEW_KEYS},
    {FER_TROUBLE_ENTROPY, FER_GROUP_DEVICE_TROUBLE},
    {FER_TROUBLE_STORAGE, FER_GROUP_DEVICE_TROUBLE},
    {FER_TROUBLE_STATE, FER_GROUP_DEVICE_TROUBLE},
    {FER_TROUBLE_CRYPTO, FER_GROUP_DEVICE_TROUBLE},
    {FER_TROUBLE_ROLLBACK, FER_GROUP_DEVICE_TROUBLE},
};
enum { COUNT = sizeof all / sizeof all[0] };

static void every_status_belongs_to_its_group(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(fer_status_get_group(all[i].status), all[i].group);
    }
}

static void only_keys_and_trouble_are_fatal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        bool fatal =
            all[i].group == FER_GROUP_RENEW_KEYS || all[i].group == FER_GROUP_DEVICE_TROUBLE;

        assert_int_equal(fer_status_is_fatal(all[i].status), fatal);
    }
}

static void every_status_has_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        const char *text = fer_status_text(all[i].status);

        assert_non_null(text);
        assert_int_equal(text[strlen(text) - 1], '.');
        assert_null(strstr(text, "Unknown status"));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(text, fer_status_text(all[j].status));
        }
    }
}

static void an_unknown_value_has_a_sentence_too(void **state)
{
    (void)state;
    assert_non_null(strstr(fer_status_text((fer_status)0x0F), "Unknown status"));
    assert_non_null(strstr(fer_status_text((fer_status)0x7F), "Unknown status"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_belongs_to_its_group),
        cmocka_unit_test(only_keys_and_trouble_are_fatal),
        cmocka_unit_test(every_status_has_a_sentence_of_its_own),
        cmocka_unit_test(an_unknown_value_has_a_sentence_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
