/* Misuse: a record is committed that was inspected but never authenticated.
 * Expect: incompatible pointer type */
#include <ferrule/ferrule.h>

#ifdef MISUSE
#define PROOF fer_unverified
#else
#define PROOF fer_ticket
#endif

fer_status use(fer_gateway *gateway, PROOF *proof);
fer_status use(fer_gateway *gateway, PROOF *proof)
{
    return fer_gateway_commit(gateway, proof);
}
