/* A board without sessions, as cheap as that. */
#include "session.h"

bool session_prepare(fer_nv nv, int argc, char **argv)
{
    (void)nv;
    (void)argc;
    (void)argv;
    return true;
}

fer_status session_join(fer_device *device)
{
    (void)device;
    return FER_OK;
}
