/* Ferrule: status texts (floor 0). */
#include "ferrule/status.h"

const char *fer_status_text(fer_status status)
{
    switch (status) {
    case FER_OK:
        return "Done.";
    case FER_EMPTY:
        return "There is nothing yet: call again when there is more.";
    case FER_NOT_NOW:
        return "Not possible at this moment: call again later.";
    case FER_ERR_ARGUMENT:
        return "An argument is null or outside its documented range: fix the call.";
    case FER_ERR_HANDLE:
        return "The handle is closed, copied, corrupt or of another type: fix the call.";
    case FER_ERR_ARENA:
        return "The arena has too little room: size it with the FER_..._SIZE macro.";
    case FER_ERR_CAPACITY:
        return "The output buffer is too small: give it the documented bound.";
    case FER_ERR_ORDER:
        return "The call came out of turn: fix the order of calls.";
    case FER_DROP_MALFORMED:
        return "The input is not a valid encoding: drop it.";
    case FER_DROP_ROUTE:
        return "Nobody here has this kind, direction and route: drop the input.";
    case FER_DROP_OLD:
        return "The input is older than what is still accepted: drop it.";
    case FER_DROP_FAR:
        return "The generation lies too far ahead: drop the input and resynchronise the device.";
    case FER_DROP_REPLAY:
        return "This number was accepted before: drop the input.";
    case FER_DROP_FORGED:
        return "The input did not authenticate: drop it.";
    case FER_DROP_VERSION:
        return "The input is intact but of an unknown format version: drop it, or update.";
    case FER_DROP_BINDING:
        return "The blob is unbound though binding is demanded, or bound though this device gives "
               "no "
               "hardware id: issue one that fits.";
    case FER_RENEW_MISSING:
        return "The device holds no credential: provision it.";
    case FER_RENEW_EXHAUSTED:
        return "Generations or sequence numbers are used up: renew the keys.";
    case FER_TROUBLE_ENTROPY:
        return "The entropy port failed: sealing has stopped, look at the device.";
    case FER_TROUBLE_STORAGE:
        return "The storage port failed: sealing has stopped, look at the device.";
    case FER_TROUBLE_STATE:
        return "Stored state does not verify: sealing has stopped, look at the device.";
    case FER_TROUBLE_CRYPTO:
        return "The crypto backend failed: sealing has stopped, look at the device.";
    case FER_TROUBLE_ROLLBACK:
        return "Stored state was put back to an older one: sealing has stopped, look at the "
               "device.";
    }
    return "Unknown status: library and headers may be of different versions.";
}
