/* ferrule lifetime. Tells from the geometry of a device's memory and its habits how long it lives:
 * the same macros that firmware can assert in its build (ferrule/lifetime.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "ferrule/lifetime.h"
#include "option.h"

enum {
    KEY_PAGE = 256,
    KEY_BLOCKS,
    KEY_COPIES,
    KEY_ENDURANCE,
    KEY_POLICY,
    KEY_GRANULE,
    KEY_NO_OVERWRITE,
    KEY_REWRITE,
    KEY_BOOTS,
    KEY_RECORDS,
    KEY_BURN_RECORDS,
    KEY_BURN_MS,
    KEY_YEARS,
    KEY_JSON
};

struct habits {
    uint32_t page, blocks, copies, endurance, granule, boots, records, burn_records, burn_ms, years;
    fer_store_policy policy;
    unsigned flags;
    bool json;
};

/* Days. */
struct life {
    uint64_t burns, flash, identity, sequence, silence;
};

static const struct argp_option argp_options[] = {
    {"page", KEY_PAGE, "N", 0, "Bytes in an erase block (2048)", 0},
    {"blocks", KEY_BLOCKS, "N", 0, "How many blocks (2)", 0},
    {"copies", KEY_COPIES, "N", 0, "2 where the firmware sets mirror (1)", 0},
    {"endurance", KEY_ENDURANCE, "N", 0, "Erases that a block stands (10000)", 0},
    {"policy", KEY_POLICY, "NAME", 0, "strict or block, as the firmware is built (strict)", 0},
    {"granule", KEY_GRANULE, "N", 0, "Bytes programmed at once, 1 to 512 (8)", 0},
    {"no-overwrite", KEY_NO_OVERWRITE, 0, 0, "What is programmed cannot be zeroed without an erase",
     0},
    {"rewrite", KEY_REWRITE, 0, 0, "Any byte may be written over any other: EEPROM, FRAM", 0},
    {"boots", KEY_BOOTS, "N", 0, "Restarts a day after which something is sent (1)", 0},
    {"records", KEY_RECORDS, "N", 0, "Records a day (1000)", 0},
    {"burn-records", KEY_BURN_RECORDS, "N", 0, "As the firmware sets burn_records (0: never)", 0},
    {"burn-ms", KEY_BURN_MS, "N", 0, "As the firmware sets burn_ms (0: never)", 0},
    {"years", KEY_YEARS, "N", 0, "Fail unless it lives so long", 0},
    {"json", KEY_JSON, 0, 0, "Print one JSON object", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static const char documentation[] =
    "Tell how long the flash, the generations and the numbers of a device last."
    "\vThe same is asserted in a firmware's build by FER_LIFETIME_HOLDS or, with CMake, "
    "ferrule_check_lifetime.\n"
    "Example:\n"
    "  ferrule lifetime --page 2048 --blocks 4 --endurance 10000 --boots 5 --years 10\n"
    "Exit status 1 if it is shorter than --years, or no slot fits, or no second copy.";

static error_t parse_memory(int key, const char *text, struct habits *habits,
                            struct argp_state *state)
{
    switch (key) {
    case KEY_PAGE:
        habits->page = option_number(text, 1, UINT32_MAX, "page", state);
        return 0;
    case KEY_BLOCKS:
        habits->blocks = option_number(text, 2, UINT32_MAX, "blocks", state);
        return 0;
    case KEY_COPIES:
        habits->copies = option_number(text, 1, 2, "copies", state);
        return 0;
    case KEY_ENDURANCE:
        habits->endurance = option_number(text, 1, UINT32_MAX, "endurance", state);
        return 0;
    case KEY_GRANULE:
        habits->granule = option_number(text, 1, 512, "granule", state);
        return 0;
    case KEY_NO_OVERWRITE:
        habits->flags = 0;
        return 0;
    case KEY_REWRITE:
        habits->flags = FER_NV_OVERWRITE | FER_NV_REWRITE;
        return 0;
    case KEY_POLICY:
        habits->policy = strcmp(text, "block") == 0 ? FER_STORE_BLOCK : FER_STORE_STRICT;
        if (habits->policy == FER_STORE_STRICT && strcmp(text, "strict") != 0) {
            argp_error(state, "--policy: must be strict or block");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct habits *habits = state->input;
    switch (key) {
    case KEY_BOOTS:
        habits->boots = option_number(text, 0, UINT32_MAX, "boots", state);
        return 0;
    case KEY_RECORDS:
        habits->records = option_number(text, 0, UINT32_MAX, "records", state);
        return 0;
    case KEY_BURN_RECORDS:
        habits->burn_records = option_number(text, 0, UINT32_MAX, "burn-records", state);
        return 0;
    case KEY_BURN_MS:
        habits->burn_ms = option_number(text, 0, UINT32_MAX, "burn-ms", state);
        return 0;
    case KEY_YEARS:
        habits->years = option_number(text, 1, 1000, "years", state);
        return 0;
    case KEY_JSON:
        habits->json = true;
        return 0;
    default:
        return parse_memory(key, text, habits, state);
    }
}

static struct life measure(const struct habits *h)
{
    struct life life;
    life.burns = FER_LIFETIME_BURNS(h->boots, h->records, h->burn_records, h->burn_ms);
    life.flash =
        FER_LIFETIME_FLASH(h->page, h->blocks, h->copies, h->endurance, h->policy, h->granule,
                           h->flags, h->boots, h->records, h->burn_records, h->burn_ms);
    life.identity = FER_LIFETIME_IDENTITY(h->boots, h->records, h->burn_records, h->burn_ms);
    life.sequence = FER_LIFETIME_SEQUENCE / (h->records == 0 ? 1 : h->records);
    life.silence = FER_LIFETIME_SILENCE(h->boots, h->records, h->burn_records, h->burn_ms);
    return life;
}

static double years(uint64_t days)
{
    return (double)days / FER_LIFETIME_YEAR;
}

static const char *limit(const struct life *life)
{
    return life->flash <= life->identity ? "flash" : "generations";
}

static void print_life(const struct life *life)
{
    printf("generations a day  %" PRIu64 "\n", life->burns);
    printf("flash              %.1f years\n", years(life->flash));
    printf("generations        %.1f years\n", years(life->identity));
    printf("sequence numbers   %.1f years in one generation, which then ends by itself\n",
           years(life->sequence));
    printf("silence            %.1f years, then the gateway needs a resync\n",
           years(life->silence));
    printf("the limit          %s\n", limit(life));
}

static void print_json(const struct life *life)
{
    printf("{\"generations_a_day\":%" PRIu64 ",\"flash_years\":%.1f,\"generations_years\":%.1f,"
           "\"sequence_years\":%.1f,\"silence_years\":%.1f,\"limit\":\"%s\"}\n",
           life->burns, years(life->flash), years(life->identity), years(life->sequence),
           years(life->silence), limit(life));
}

int cli_lifetime(int argc, char **argv)
{
    const struct argp argp = {argp_options, parse_option, NULL, documentation, NULL, NULL, NULL};
    struct habits habits = {.page = 2048,
                            .blocks = 2,
                            .copies = 1,
                            .endurance = 10000,
                            .policy = FER_STORE_STRICT,
                            .granule = 8,
                            .flags = FER_NV_OVERWRITE,
                            .boots = 1,
                            .records = 1000};
    cli_parse(&argp, argc, argv, &habits);
    const struct life life = measure(&habits);
    const uint64_t least = life.flash <= life.identity ? life.flash : life.identity;
    if (FER_STORE_SLOTS(habits.page, habits.granule, habits.policy, habits.flags) == 0) {
        SAY("no slot fits a block of %" PRIu32 " bytes: it needs %" PRIu32, habits.page,
            (uint32_t)FER_STORE_SLOT(habits.granule));
        return EXIT_FAILURE;
    }
    if (habits.blocks < 2 * habits.copies) {
        SAY("two copies take at least %u blocks", FER_STORE_MIRROR_BLOCKS);
        return EXIT_FAILURE;
    }
    if (habits.json) {
        print_json(&life);
    } else {
        print_life(&life);
    }
    if (least < (uint64_t)habits.years * FER_LIFETIME_YEAR) {
        SAY("%s: %.1f years, not %" PRIu32 ": %s", limit(&life), years(least), habits.years,
            life.flash <= life.identity
                ? "give it more blocks, policy block, or let it burn less often"
                : "let it burn less often");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
