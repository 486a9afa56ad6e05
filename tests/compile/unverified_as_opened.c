/* Misuse: a header that nothing vouches for is read as an opened record.
 * Expect: incompatible (pointer )?type|has no member named .context|no member named 'context' */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define RECORD fer_unverified
#else
#define RECORD fer_opened
#endif

uint32_t use(const RECORD *record);
uint32_t use(const RECORD *record)
{
    return record->context;
}
