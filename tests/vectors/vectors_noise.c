/* Tests: handshakes against public Noise vectors, in both roles: every message, the handshake hash,
 * and the transport messages under the keys of Split.
 *
 *     vectors_noise                  the cacophony file of FERRULE_DATA_DIR
 *     vectors_noise FILE…            any JSON files in the layouts of cacophony, snow or noise-c:
 *                                    protocol_name or name, init_* and resp_*, psks in token order
 *
 * What the suite does not cover (other curves, ciphers, hashes, several psks, fallback) is skipped
 * and counted. Patterns that the library does not ship are made here, as data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/curve.h"
#include "internal/handshake.h"
#include "vectors/json_file.h"

enum { TEXT_MAX = 1024, CACOPHONY_CASES = 59 };

#define E FER_TOKEN_E
#define S FER_TOKEN_S
#define EE FER_TOKEN_EE
#define ES FER_TOKEN_ES
#define SE FER_TOKEN_SE
#define SS FER_TOKEN_SS
#define END FER_TOKEN_END

/* clang-format off */
/* The deferred patterns of Noise revision 34, section 18.1. */
static const fer_pattern deferred[] = {
    {"NK1",  2, 0, 0, 2, {E, END,             E, EE, ES, END}},
    {"NX1",  0, 2, 0, 3, {E, END,             E, EE, S, END,      ES, END}},
    {"X1N",  0, 1, 0, 4, {E, END,             E, EE, END,         S, END,      SE, END}},
    {"X1K",  2, 1, 0, 4, {E, ES, END,         E, EE, END,         S, END,      SE, END}},
    {"XK1",  2, 1, 0, 3, {E, END,             E, EE, ES, END,     S, SE, END}},
    {"X1K1", 2, 1, 0, 4, {E, END,             E, EE, ES, END,     S, END,      SE, END}},
    {"X1X",  0, 3, 0, 4, {E, END,             E, EE, S, ES, END,  S, END,      SE, END}},
    {"XX1",  0, 3, 0, 3, {E, END,             E, EE, S, END,      ES, S, SE, END}},
    {"X1X1", 0, 3, 0, 4, {E, END,             E, EE, S, END,      ES, S, END,  SE, END}},
    {"K1N",  1, 0, 0, 3, {E, END,             E, EE, END,         SE, END}},
    {"K1K",  3, 0, 0, 3, {E, ES, END,         E, EE, END,         SE, END}},
    {"KK1",  3, 0, 0, 2, {E, END,             E, EE, SE, ES, END}},
    {"K1K1", 3, 0, 0, 3, {E, END,             E, EE, ES, END,     SE, END}},
    {"K1X",  1, 2, 0, 3, {E, END,             E, EE, S, ES, END,  SE, END}},
    {"KX1",  1, 2, 0, 3, {E, END,             E, EE, SE, S, END,  ES, END}},
    {"K1X1", 1, 2, 0, 3, {E, END,             E, EE, S, END,      SE, ES, END}},
    {"I1N",  0, 1, 0, 3, {E, S, END,          E, EE, END,         SE, END}},
    {"I1K",  2, 1, 0, 3, {E, ES, S, END,      E, EE, END,         SE, END}},
    {"IK1",  2, 1, 0, 2, {E, S, END,          E, EE, SE, ES, END}},
    {"I1K1", 2, 1, 0, 3, {E, S, END,          E, EE, ES, END,     SE, END}},
    {"I1X",  0, 3, 0, 3, {E, S, END,          E, EE, S, ES, END,  SE, END}},
    {"IX1",  0, 3, 0, 3, {E, S, END,          E, EE, SE, S, END,  ES, END}},
    {"I1X1", 0, 3, 0, 3, {E, S, END,          E, EE, S, END,      SE, ES, END}},
};
/* clang-format on */

static const fer_pattern *const shipped[] = {
    &fer_pattern_nn, &fer_pattern_nk, &fer_pattern_nx, &fer_pattern_kn, &fer_pattern_kk,
    &fer_pattern_kx, &fer_pattern_in, &fer_pattern_ik, &fer_pattern_ix, &fer_pattern_xn,
    &fer_pattern_xk, &fer_pattern_xx, &fer_pattern_n,  &fer_pattern_k,  &fer_pattern_x};

static const fer_pattern *find_pattern(const char *name)
{
    for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
        if (strcmp(shipped[i]->name, name) == 0) {
            return shipped[i];
        }
    }
    for (size_t i = 0; i < sizeof deferred / sizeof deferred[0]; i++) {
        if (strcmp(deferred[i].name, name) == 0) {
            return &deferred[i];
        }
    }
    return NULL;
}

/* ---- one side --------------------------------------------------------------------------- */

struct side {
    uint8_t ephemeral[FER_NOISE_KEY_BYTES]; /* what its entropy port gives */
    bool has_ephemeral;
    uint8_t prologue[TEXT_MAX];
    fer_static_secret secret;
    fer_static_public own;
    fer_static_public peer;
    fer_preshared_key psk;
    fer_handshake_config config;
    fer_arena_cell cells[FER_HANDSHAKE_SIZE / FER_ARENA_ALIGN + 8];
    fer_arena arena;
    fer_handshake *handshake;
    uint8_t keys[FER_SPLIT_BYTES];
    uint64_t sent;
    uint64_t received;
};

static int fill_ephemeral(void *context, uint8_t *out, size_t n)
{
    const struct side *side = context;

    if (!side->has_ephemeral || n != sizeof side->ephemeral) {
        return FER_PORT_FAILED;
    }
    memcpy(out, side->ephemeral, n);
    return FER_PORT_OK;
}

static const struct fer_entropy_ops entropy_ops = {fill_ephemeral};

static bool get_hex(const cJSON *vector, const char *who, const char *what, uint8_t *out, size_t n,
                    size_t *length)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s_%s", who, what);
    if (!cJSON_HasObjectItem(vector, name)) {
        return false;
    }
    *length = json_file_hex(vector, name, out, n);
    return true;
}

static bool get_key(const cJSON *vector, const char *who, const char *what,
                    uint8_t out[FER_NOISE_KEY_BYTES])
{
    size_t length = 0;

    if (!get_hex(vector, who, what, out, FER_NOISE_KEY_BYTES, &length)) {
        return false;
    }
    assert_int_equal(length, FER_NOISE_KEY_BYTES);
    return true;
}

/* snow and cacophony: a list for each side, in token order. noise-c: one "…_psk". */
static bool get_psk(const cJSON *vector, const char *who, uint8_t out[FER_NOISE_KEY_BYTES])
{
    char name[64];
    const cJSON *list;

    (void)snprintf(name, sizeof name, "%s_psks", who);
    list = cJSON_GetObjectItemCaseSensitive(vector, name);
    if (cJSON_GetArraySize(list) == 1) {
        cJSON *one = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(one, "psk", cJSON_GetArrayItem(list, 0)->valuestring);
        assert_int_equal(json_file_hex(one, "psk", out, FER_NOISE_KEY_BYTES), FER_NOISE_KEY_BYTES);
        cJSON_Delete(one);
        return true;
    }
    return get_key(vector, who, "psk", out);
}

/* What a pattern does not use is left out, though files may give it. */
static void start(struct side *side, const cJSON *vector, const char *who, fer_role role,
                  const fer_pattern *pattern, uint8_t psk_place)
{
    unsigned own = 1u << (unsigned)role;
    size_t length = 0;

    memset(side, 0, sizeof *side);
    fer_handshake_config *config = &side->config;
    config->pattern = pattern;
    config->role = role;
    config->psk_place = psk_place;
    config->entropy = (fer_entropy){&entropy_ops, side};
    side->has_ephemeral = get_key(vector, who, "ephemeral", side->ephemeral);
    if (get_hex(vector, who, "prologue", side->prologue, sizeof side->prologue, &length)) {
        config->prologue = side->prologue;
        config->prologue_length = length;
    }
    if (((pattern->known | pattern->sent) & own) != 0) {
        assert_true(get_key(vector, who, "static", side->secret.bytes));
        assert_int_equal(FER_OK, fer_static_get_public(&side->secret, &side->own));
        config->own_secret = &side->secret;
        config->own_public = &side->own;
    }
    if ((pattern->known & ~own) != 0) {
        assert_true(get_key(vector, who, "remote_static", side->peer.bytes));
        config->peer = &side->peer;
    }
    if (psk_place != FER_NO_PSK) {
        assert_true(get_psk(vector, who, side->psk.bytes));
        config->psk = &side->psk;
    }
    assert_int_equal(FER_OK, fer_arena_init(&side->arena, side->cells,
                                            sizeof side->cells / sizeof side->cells[0]));
    assert_int_equal(FER_OK, fer_handshake_create(&side->arena, config, &side->handshake));
}

/* ---- one vector ------------------------------------------------------------------------- */

static void exchange(struct side *from, struct side *to, const uint8_t *payload, size_t n,
                     const uint8_t *expected, size_t expected_length)
{
    uint8_t message[TEXT_MAX];
    uint8_t read[TEXT_MAX];
    size_t length = 0;

    assert_int_equal(fer_handshake_get_overhead(from->handshake) + n, expected_length);
    assert_int_equal(
        FER_OK, fer_handshake_write(from->handshake, payload, n, message, sizeof message, &length));
    assert_int_equal(length, expected_length);
    assert_memory_equal(message, expected, length);
    assert_int_equal(
        FER_OK, fer_handshake_read(to->handshake, message, length, read, sizeof read, &length));
    assert_int_equal(length, n);
    assert_memory_equal(read, payload, n);
}

/* A transport message (Noise section 12.3): under the first key of Split from the initiator, under
 * the second from the responder. */
static void transport(struct side *from, struct side *to, const uint8_t *payload, size_t n,
                      const uint8_t *expected, size_t expected_length)
{
    size_t at = from->config.role == FER_INITIATOR ? 0 : FER_HASH_BYTES;
    uint8_t nonce[FER_NONCE_BYTES] = {0};
    uint8_t message[TEXT_MAX];
    uint8_t read[TEXT_MAX];
    fer_secret key;

    assert_memory_equal(from->keys, to->keys, sizeof from->keys);
    memcpy(key.bytes, from->keys + at, sizeof key.bytes);
    nonce[4] = (uint8_t)from->sent++;
    to->received++;
    assert_int_equal(FER_OK, fer_crypto_seal(&key, nonce, NULL, 0, payload, n, message));
    assert_int_equal(n + FER_AEAD_TAG_BYTES, expected_length);
    assert_memory_equal(message, expected, expected_length);
    assert_int_equal(FER_OK, fer_crypto_open(&key, nonce, NULL, 0, expected, n, read));
    assert_memory_equal(read, payload, n);
}

static void end_handshake(struct side *a, struct side *b, const cJSON *vector)
{
    uint8_t binding[FER_HASH_BYTES];
    uint8_t expected[FER_HASH_BYTES];

    assert_int_equal(fer_handshake_get_turn(a->handshake), FER_TURN_DONE);
    assert_int_equal(fer_handshake_get_turn(b->handshake), FER_TURN_DONE);
    fer_handshake_split(a->handshake, a->keys);
    fer_handshake_split(b->handshake, b->keys);
    assert_int_equal(FER_OK, fer_handshake_get_binding(b->handshake, binding));
    if (cJSON_HasObjectItem(vector, "handshake_hash")) {
        (void)json_file_hex(vector, "handshake_hash", expected, sizeof expected);
        assert_memory_equal(binding, expected, sizeof binding);
    }
}

/* Who sends message i: the file's word where it has one, else in turn; a one-way pattern has one
 * sender. */
static bool is_from_initiator(const cJSON *message, int i, const fer_pattern *pattern)
{
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(message, "from");

    if (cJSON_IsString(from)) {
        return strcmp(from->valuestring, "init") == 0;
    }
    return pattern->one_way || i % 2 == 0;
}

static void run(const cJSON *vector, const fer_pattern *pattern, uint8_t psk_place)
{
    static struct side init, resp;
    uint8_t payload[TEXT_MAX];
    uint8_t expected[TEXT_MAX];
    const cJSON *message;
    int i = 0;

    start(&init, vector, "init", FER_INITIATOR, pattern, psk_place);
    start(&resp, vector, "resp", FER_RESPONDER, pattern, psk_place);
    cJSON_ArrayForEach(message, cJSON_GetObjectItemCaseSensitive(vector, "messages"))
    {
        size_t n = json_file_hex(message, "payload", payload, sizeof payload);
        size_t length = json_file_hex(message, "ciphertext", expected, sizeof expected);
        bool first = is_from_initiator(message, i, pattern);

        if (i < pattern->messages) {
            exchange(first ? &init : &resp, first ? &resp : &init, payload, n, expected, length);
        } else {
            if (i == pattern->messages) {
                end_handshake(&init, &resp, vector);
            }
            transport(first ? &init : &resp, first ? &resp : &init, payload, n, expected, length);
        }
        i++;
    }
    assert_true(i > pattern->messages);
    fer_handshake_close(&init.handshake);
    fer_handshake_close(&resp.handshake);
    fer_arena_close(&init.arena);
    fer_arena_close(&resp.arena);
}

/* ---- files ------------------------------------------------------------------------------ */

static const char *name_of(const cJSON *vector)
{
    const char *key = cJSON_HasObjectItem(vector, "protocol_name") ? "protocol_name" : "name";

    return json_file_text(vector, key);
}

/* Takes "Noise_XXpsk3_25519_ChaChaPoly_SHA256" apart; false where the suite does not cover it. */
static bool parse_name(const char *name, const fer_pattern **pattern, uint8_t *psk_place)
{
    char base[8] = "";
    char modifiers[16] = "";
    int end = 0;

    *psk_place = FER_NO_PSK;
    if (sscanf(name, "Noise_%7[A-Z0-9]%n", base, &end) != 1) {
        return false;
    }
    const char *rest = name + end;
    if (strncmp(rest, "psk", 3) == 0) {
        if (sscanf(rest, "%15[a-z0-9+]%n", modifiers, &end) != 1 || strlen(modifiers) != 4) {
            return false;
        }
        *psk_place = (uint8_t)(modifiers[3] - '0');
        rest += end;
    }
    *pattern = find_pattern(base);
    return *pattern != NULL && strcmp(rest, "_25519_ChaChaPoly_SHA256") == 0;
}

static void run_file(cJSON *file, int *ran, int *skipped)
{
    const cJSON *named = cJSON_GetObjectItemCaseSensitive(file, "vectors");
    const cJSON *list = named != NULL ? named : file;
    const cJSON *vector;

    cJSON_ArrayForEach(vector, list)
    {
        const fer_pattern *pattern;
        uint8_t psk_place;
        const char *name = name_of(vector);

        if (!parse_name(name, &pattern, &psk_place)) {
            (*skipped)++;
            continue;
        }
        print_message("%s\n", name);
        run(vector, pattern, psk_place);
        (*ran)++;
    }
    cJSON_Delete(file);
}

static void test_cacophony(void **state)
{
    int ran = 0;
    int skipped = 0;

    (void)state;
    run_file(json_file_load("noise/cacophony_25519_ChaChaPoly_SHA256.json"), &ran, &skipped);
    print_message("cacophony: %d ran, %d skipped\n", ran, skipped);
    assert_int_equal(ran, CACOPHONY_CASES);
    assert_int_equal(skipped, 0);
}

/* What is skipped, and what is not. */
static void test_names(void **state)
{
    const fer_pattern *pattern;
    uint8_t psk_place;

    (void)state;
    assert_true(parse_name("Noise_IKpsk2_25519_ChaChaPoly_SHA256", &pattern, &psk_place));
    assert_ptr_equal(pattern, &fer_pattern_ik);
    assert_int_equal(psk_place, 2);
    assert_false(parse_name("Noise_IKpsk1+psk2_25519_ChaChaPoly_SHA256", &pattern, &psk_place));
    assert_false(parse_name("Noise_IK_448_ChaChaPoly_SHA256", &pattern, &psk_place));
    assert_false(parse_name("Noise_IK_25519_AESGCM_SHA256", &pattern, &psk_place));
    assert_false(parse_name("Noise_XXfallback_25519_ChaChaPoly_SHA256", &pattern, &psk_place));
}

static char **files;
static int file_count;

static void test_given_files(void **state)
{
    int ran = 0;
    int skipped = 0;

    (void)state;
    for (int i = 0; i < file_count; i++) {
        run_file(json_file_load_path(files[i]), &ran, &skipped);
    }
    print_message("%d files: %d ran, %d skipped\n", file_count, ran, skipped);
    assert_true(ran > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {cmocka_unit_test(test_names),
                                     cmocka_unit_test(test_cacophony)};
    const struct CMUnitTest given[] = {cmocka_unit_test(test_given_files)};

    files = argv + 1;
    file_count = argc - 1;
    return file_count > 0 ? cmocka_run_group_tests(given, NULL, NULL)
                          : cmocka_run_group_tests(own, NULL, NULL);
}
