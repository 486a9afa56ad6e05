/* A board that reports in sessions alone. argv[2] is the image of its second flash region, which
 * holds its static keys; argv[3] the fingerprint of the gateway that it may enrol with. A product
 * has that built in, or a display and a button: nothing on the line vouches for a gateway.
 *
 * Randomness comes from the debugging host, because the emulated board has no source of its own;
 * on hardware this is the driver of the chip's true random number generator. */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "board.h"
#include "entropy_host.h"
#include "keys.h"

enum {
    WINDOW = 64,
    ENROL_RETRY_MS = 1000,
    ENROL_WAIT_MS = 120000, /* for people to compare */
    GREET_RETRY_MS = 1000,
    RENEW_MS = 3600000,
    SILENCE_MS = 4000 /* without an answer: greet again */
};

#define NEEDED \
    (FER_ENROLEE_SIZE > FER_GREETER_SIZE(WINDOW) ? FER_ENROLEE_SIZE : FER_GREETER_SIZE(WINDOW))
FER_ARENA(session_arena, NEEDED); /* of the enrolee, then of the greeter */
static nv_image keys;
static fer_greeter *greeter;

static bool complain(const char *what)
{
    printf("session: %s\n", what);
    return false;
}

static void show(const char *whose, const fer_static_public *key,
                 char text[FER_STATIC_FINGERPRINT_TEXT])
{
    if (fer_static_get_fingerprint_text(key, text) != FER_OK) {
        text[0] = '\0';
    }
    printf("%s %s\n", whose, text);
}

/* ---- enrolment --------------------------------------------------------------------------- */

static fer_status open_store(fer_nv nv, fer_arena *arena, fer_store **store)
{
    static fer_arena_cell cells[FER_STORE_SIZE(NV_IMAGE_GRANULE) / FER_ARENA_ALIGN];
    const fer_store_config config = {.nv = nv, .policy = FER_STORE_STRICT};
    fer_status status = fer_arena_init(arena, cells, sizeof cells / sizeof *cells);
    return status == FER_OK ? fer_store_create(arena, &config, store) : status;
}

/* What the store holds, or, with a blob, what came of installing that. */
static fer_status ask_store(fer_nv nv, uint8_t *blob, size_t n)
{
    static const fer_provision_config unbound = {0}; /* the emulated chip has no id */
    fer_arena arena;
    fer_store *store;
    fer_status status = open_store(nv, &arena, &store);
    if (status == FER_OK) {
        fer_credential_info info;
        status =
            n != 0 ? fer_provision(store, &unbound, blob, n) : fer_store_get_info(store, &info);
        fer_arena_close(&arena);
    }
    return status;
}

/* An install that was cut short is begun again; the store refuses where more than that is there. */
static bool is_unprovisioned(fer_nv nv)
{
    fer_status status = ask_store(nv, NULL, 0);
    return status == FER_RENEW_MISSING || status == FER_TROUBLE_STATE;
}

/* The third message, by which the gateway learns this board's key, goes to the right one only. */
static bool approve(fer_enrolee *enrolee, const char *expected)
{
    char text[FER_STATIC_FINGERPRINT_TEXT];
    fer_static_public gateway;
    if (fer_enrolee_get_gateway(enrolee, &gateway) != FER_OK) {
        return false;
    }
    show("enrolment: the gateway", &gateway, text);
    return strcmp(text, expected) == 0 || complain("that is another gateway than the expected");
}

/* The gateway's key first: a board with a credential takes no other. */
static bool keep(fer_enrolee *enrolee, fer_nv nv)
{
    fer_static_public gateway;
    uint8_t *blob;
    size_t n;
    if (fer_enrolee_get_gateway(enrolee, &gateway) != FER_OK ||
        fer_enrolee_get_blob(enrolee, &blob, &n) != FER_OK) {
        return complain("nothing was handed over");
    }
    if (n != 0 && !is_unprovisioned(nv)) {
        return complain("there is a credential already: enrol without another");
    }
    if (!keys_write_gateway(&keys, &gateway)) {
        return complain("the gateway's key cannot be kept");
    }
    if (n != 0) {
        fer_status status = ask_store(nv, blob, n);
        return status == FER_OK || complain(fer_status_text(status));
    }
    return !is_unprovisioned(nv) || complain("there is no credential, and none was handed over");
}

static uint64_t now_ms(void)
{
    uint64_t ms = 0;
    (void)board_clock.ops->monotonic_ms(board_clock.context, &ms);
    return ms;
}

/* True while nothing is wrong with this board itself. */
static bool send_due(fer_enrolee *enrolee)
{
    uint8_t frame[FER_ENROLEE_FRAME];
    size_t n;
    fer_status status = fer_enrolee_take(enrolee, now_ms(), frame, sizeof frame, &n);
    if (status == FER_OK) {
        board_link_write(frame, n);
    }
    return !fer_status_is_fatal(status) || complain(fer_status_text(status));
}

static bool step(fer_enrolee *enrolee, fer_nv nv, const char *expected)
{
    uint8_t byte;
    size_t used;
    if (!board_link_read(&byte) || fer_enrolee_feed(enrolee, &byte, 1, &used) != FER_OK) {
        return send_due(enrolee);
    }
    if (fer_enrolee_get_stage(enrolee) == FER_ENROLEE_MET) {
        return approve(enrolee, expected) || fer_enrolee_restart(enrolee) == FER_OK;
    }
    return keep(enrolee, nv) && fer_enrolee_confirm(enrolee) == FER_OK && send_due(enrolee);
}

static bool enrol(fer_nv nv, const fer_static_secret *secret, const fer_static_public *own,
                  const char *expected)
{
    char text[FER_STATIC_FINGERPRINT_TEXT];
    fer_enrolee_config config = {.secret = *secret,
                                 .own = *own,
                                 .retry_ms = ENROL_RETRY_MS,
                                 .wait_ms = ENROL_WAIT_MS,
                                 .entropy = {&entropy_host_ops, 0}};
    fer_enrolee *enrolee = NULL;
    show("enrolment: this board", own, text);
    bool good = fer_enrolee_create(&session_arena, &config, &enrolee) == FER_OK;
    while (good && fer_enrolee_get_stage(enrolee) != FER_ENROLEE_DONE) {
        good = step(enrolee, nv, expected);
    }
    explicit_bzero(&config, sizeof config);
    fer_enrolee_close(&enrolee);
    return fer_arena_rewind(&session_arena, (fer_arena_position){0}) == FER_OK && good;
}

/* ---- start ------------------------------------------------------------------------------- */

/* A board that was enrolled and has lost its key is not given another behind people's backs. */
static bool read_own(fer_static_secret *secret, fer_static_public *own)
{
    fer_static_public gateway;
    const fer_entropy entropy = {&entropy_host_ops, 0};
    if (keys_read_own(&keys, secret, own)) {
        return true;
    }
    if (keys_read_gateway(&keys, &gateway)) {
        return complain("its own key is damaged: erase the region and enrol anew");
    }
    return (keys_make_own(&keys, entropy) && keys_read_own(&keys, secret, own)) ||
           complain("no key could be made");
}

static bool create_greeter(const fer_static_secret *secret, const fer_static_public *own)
{
    fer_greeter_config config = {.secret = *secret,
                                 .own = *own,
                                 .window_bits = WINDOW,
                                 .retry_ms = GREET_RETRY_MS,
                                 .renew_ms = RENEW_MS,
                                 .silence_ms = SILENCE_MS,
                                 .entropy = {&entropy_host_ops, 0}};
    bool good = keys_read_gateway(&keys, &config.gateway) &&
                fer_greeter_create(&session_arena, &config, &greeter) == FER_OK;
    explicit_bzero(&config, sizeof config);
    return good || complain("no greeter");
}

bool session_prepare(fer_nv nv, int argc, char **argv)
{
    fer_static_secret secret;
    fer_static_public own;
    fer_static_public gateway;
    if (argc < 4) {
        return complain("wants the images of both flash regions and the gateway's fingerprint");
    }
    bool good = nv_image_open(&keys, argv[2]) ? read_own(&secret, &own)
                                              : complain("the second flash region is not there");
    if (good && (!keys_read_gateway(&keys, &gateway) || is_unprovisioned(nv))) {
        good = enrol(nv, &secret, &own, argv[3]);
        printf("enrolment: %s\n", good ? "done" : "failed");
    }
    good = good && create_greeter(&secret, &own);
    explicit_bzero(&secret, sizeof secret);
    return good;
}

fer_status session_join(fer_device *device)
{
    return fer_device_join(device, greeter, true);
}
