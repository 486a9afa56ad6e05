/* Misuse: a status is ignored.
 * Expect: ignoring return value of */
#include <ferrule/ferrule.h>

int main(void)
{
    fer_credential credential;
#ifdef MISUSE
    fer_credential_parse(0, 0, &credential);
    return 0;
#else
    return fer_credential_parse(0, 0, &credential) == FER_OK;
#endif
}
