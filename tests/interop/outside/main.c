/* A stranger's program: provisions an identity, seals on one side, opens on the other. It includes
 * the one public header and knows nothing else of Ferrule. */
#include <stdio.h>
#include <string.h>

#include <ferrule/ferrule.h>

FER_ARENA(memory, FER_SEALER_SIZE + FER_OPENER_SIZE(64u));
FER_ARENA_HOLDS(memory, FER_SEALER_SIZE + FER_OPENER_SIZE(64u));

static const char *step = "nothing";

static int went_wrong(const char *what, fer_status status)
{
    step = what;
    if (status != FER_OK) {
        fprintf(stderr, "%s: %s\n", what, fer_status_text(status));
    }
    return status != FER_OK;
}

static int make_ends(fer_sealer **sealer, fer_opener **opener)
{
    static const uint8_t name[] = {'p', 'u', 'm', 'p', '-', '7'};
    fer_identity identity = {1, name, sizeof name, NULL, 0};
    fer_sealer_config up = {FER_UP, FER_LANE_LIVE, FER_ONE_WAY, {NULL, NULL}};
    fer_opener_config from = {FER_UP, 64};
    fer_root_key root;
    fer_credential device, gateway;
    fer_generation keys;

    memset(&root, 0x42, sizeof root); /* a real one comes from the entropy port */
    if (went_wrong("mint", fer_keychain_mint(&root, &identity, &device))) {
        return 1;
    }
    gateway = device;
    if (went_wrong("expand", fer_keychain_expand(&device, &keys)) ||
        went_wrong("sealer", fer_sealer_create(&memory, &keys, &up, sealer))) {
        return 1;
    }
    fer_generation_wipe(&keys);
    if (went_wrong("expand", fer_keychain_expand(&gateway, &keys)) ||
        went_wrong("opener", fer_opener_create(&memory, &keys, &from, opener))) {
        return 1;
    }
    fer_generation_wipe(&keys);
    return 0;
}

int main(void)
{
    static const uint8_t said[] = "12.5 bar";
    uint8_t record[sizeof said + FER_OVERHEAD_MAX], heard[sizeof said];
    size_t length = 0;
    fer_sealer *sealer = NULL;
    fer_opener *opener = NULL;
    fer_opened opened;

    if (make_ends(&sealer, &opener) ||
        went_wrong("seal",
                   fer_sealer_seal(sealer, said, sizeof said, record, sizeof record, &length)) ||
        went_wrong("open",
                   fer_opener_receive(opener, record, length, heard, sizeof heard, &opened))) {
        return 1;
    }
    if (opened.length != sizeof said || memcmp(said, heard, sizeof said) != 0 ||
        fer_opener_receive(opener, record, length, heard, sizeof heard, &opened) !=
            FER_DROP_REPLAY) {
        fprintf(stderr, "after %s: wrong plaintext, or a replay was let in\n", step);
        return 1;
    }
    fer_sealer_close(&sealer);
    fer_opener_close(&opener);
    puts("opened");
    return 0;
}
