/* Ferrule: conformance, the short names of its rules. */
#include "ferrule/conformance.h"

static const char *const names[] = {
    "geometry",
    "positive-answer",
    "read-answer",
    "program-answer",
    "erase-answer",
    "blank-answer",
    "read-short",
    "read-overrun",
    "read-unaligned",
    "erase-whole",
    "erase-alone",
    "erase-durable",
    "program-reads-back",
    "program-alone",
    "program-durable",
    "address-lines",
    "bits",
    "overwrite",
    "rewrite",
    "blank-erased",
    "blank-programmed",
    "blank-destroyed",
    "outside",
    "failure-reported",
    "reopen",
    "store-works",
    "install",
    "generation-once",
    "credential-true",
    "failed-burn",
    "no-lockout",
    "spent-keys-gone",
    "calls-bounded",
    "store-asks-right",
};

_Static_assert(sizeof names / sizeof names[0] == FER_CONFORMANCE_RULES, "a rule has no name");

const char *fer_conformance_rule_name(fer_conformance_rule rule)
{
    return (uint32_t)rule < (uint32_t)FER_CONFORMANCE_RULES ? names[rule] : "unknown";
}
