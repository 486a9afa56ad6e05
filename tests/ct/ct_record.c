/* Tests: sealer and opener branch and index on no key and no plaintext (CONSTANT), whatever form,
 * lane and direction. Runs under valgrind; see secret.h for how, verdicts.c for what may be known:
 * whether a tag fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ct/quiet.h"
#include "ferrule/ferrule.h"
#include "internal/keychain.h"

enum { TEXT = 96, RECORD = TEXT + FER_OVERHEAD_MAX };

enum { LINKS = 4 }; /* one a test */
FER_ARENA(arena, LINKS *(FER_SEALER_SIZE + FER_OPENER_SIZE(64)));

struct link {
    fer_sealer *sealer;
    fer_opener *opener;
};

/* Salts are sent: nothing secret about them. */
static int fill(void *context, uint8_t *out, size_t n)
{
    (void)context;
    memset(out, 0x5A, n);
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy_ops = {.fill = fill};

/* The same secret keys each time: each end takes its own out of a generation. */
static void derive_secret(fer_generation *generation)
{
    static const uint8_t name[] = {'p', 'u', 'm', 'p'};
    fer_identity who = {7, name, sizeof name, name, 4};
    fer_root_key root;
    fer_credential credential;

    memset(&root, 0x87, sizeof root);
    ct_secret(&root, sizeof root);
    assert_int_equal(fer_keychain_mint(&root, &who, &credential), FER_OK);
    assert_int_equal(fer_keychain_expand(&credential, generation), FER_OK);
}

static struct link make_link(fer_direction direction, fer_lane lane)
{
    fer_sealer_config sealing = {
        .direction = direction, .lane = lane, .entropy = {.ops = &entropy_ops}};
    fer_opener_config opening = {.direction = direction, .window_bits = 64};
    fer_generation generation;
    struct link link;

    derive_secret(&generation);
    assert_true(ct_is_tainted(fer_generation_get_body(&generation)->keys,
                              sizeof fer_generation_get_body(&generation)->keys));
    assert_int_equal(fer_sealer_create(&arena, &generation, &sealing, &link.sealer), FER_OK);
    derive_secret(&generation);
    assert_int_equal(fer_opener_create(&arena, &generation, &opening, &link.opener), FER_OK);
    return link;
}

static void close_link(struct link *link)
{
    fer_sealer_close(&link->sealer);
    fer_opener_close(&link->opener);
}

/* Seals n secret bytes; the record is sent, hence known. */
static size_t seal(struct link *link, size_t n, uint8_t record[RECORD])
{
    uint8_t text[TEXT];
    size_t length;

    memset(text, 0x43, sizeof text);
    ct_secret(text, sizeof text);
    assert_int_equal(fer_sealer_seal(link->sealer, text, n, record, RECORD, &length), FER_OK);
    assert_true(ct_is_tainted(record, length));
    ct_public(record, length);
    return length;
}

static void open_in_two_phases(struct link *link, size_t n)
{
    uint8_t record[RECORD];
    uint8_t out[TEXT];
    fer_opened opened;
    size_t length = seal(link, n, record);

    assert_int_equal(fer_opener_open(link->opener, record, length, out, sizeof out, &opened),
                     FER_OK);
    assert_int_equal(opened.length, n);
    assert_true(n == 0 || ct_is_tainted(out, n));
    assert_int_equal(fer_opener_commit(link->opener, &opened.ticket), FER_OK);
}

/* A forgery first, then the record, then its replay. */
static void receive_thrice(struct link *link, size_t n)
{
    uint8_t record[RECORD];
    uint8_t out[TEXT];
    fer_opened opened;
    size_t length = seal(link, n, record);

    record[length - 1] ^= 1u;
    assert_int_equal(fer_opener_receive(link->opener, record, length, out, sizeof out, &opened),
                     FER_DROP_FORGED);
    assert_true(!ct_is_tainted(out, n));
    record[length - 1] ^= 1u;
    assert_int_equal(fer_opener_receive(link->opener, record, length, out, sizeof out, &opened),
                     FER_OK);
    assert_true(n == 0 || ct_is_tainted(out, n));
    assert_int_equal(fer_opener_receive(link->opener, record, length, out, sizeof out, &opened),
                     FER_DROP_REPLAY);
    assert_true(!ct_is_tainted(out, n));
}

static void exercise(fer_direction direction, fer_lane lane, bool acknowledge)
{
    struct link link = make_link(direction, lane);

    for (size_t n = 0; n <= TEXT; n += 7) {
        if (acknowledge) {
            assert_int_equal(fer_sealer_acknowledge(link.sealer), FER_OK);
        }
        open_in_two_phases(&link, n);
        receive_thrice(&link, n);
    }
    close_link(&link);
}

static void test_up_short(void **state)
{
    (void)state;
    exercise(FER_UP, FER_LANE_LIVE, true);
}

static void test_up_full(void **state)
{
    (void)state;
    exercise(FER_UP, FER_LANE_LIVE, false);
}

static void test_backlog(void **state)
{
    (void)state;
    exercise(FER_UP, FER_LANE_BACKLOG, false);
}

static void test_down(void **state)
{
    (void)state;
    exercise(FER_DOWN, FER_LANE_LIVE, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CT_TEST(test_up_short),
        CT_TEST(test_up_full),
        CT_TEST(test_backlog),
        CT_TEST(test_down),
    };
    if (!ct_can_see()) {
        return CT_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
