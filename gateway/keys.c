#include "keys.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "text.h"

bool keys_read(const char *path, const char *what, uint8_t secret[KEYS_BYTES], struct fault *fault)
{
    uint8_t *text = NULL;
    size_t n = 0;
    size_t length = 0;
    if (!files_check_private(path, fault) ||
        !files_read(path, 2 * KEYS_BYTES + 1, &text, &n, fault)) {
        return false;
    }
    const size_t digits = n > 0 && text[n - 1] == '\n' ? n - 1 : n;
    const bool good = text_from_hex((const char *)text, digits, secret, KEYS_BYTES, &length) &&
                      length == KEYS_BYTES;
    explicit_bzero(text, n);
    free(text);
    if (!good) {
        explicit_bzero(secret, KEYS_BYTES);
        FAULT(fault, "%s: is not a %s key file ('ferrule keygen' makes one)", path, what);
    }
    return good;
}

bool keys_write(const char *path, const uint8_t secret[KEYS_BYTES], struct fault *fault)
{
    char hex[2 * KEYS_BYTES + 2];
    int fd = -1;
    if (!files_create(path, &fd, fault)) {
        return false;
    }
    text_to_hex(secret, KEYS_BYTES, hex);
    hex[2 * KEYS_BYTES] = '\n';
    const bool done = files_finish(path, fd, (const uint8_t *)hex, sizeof hex - 1, fault);
    explicit_bzero(hex, sizeof hex);
    return done;
}

bool keys_read_static(const char *path, fer_static_secret *secret, fer_static_public *own,
                      struct fault *fault)
{
    if (!keys_read(path, "static", secret->bytes, fault)) {
        return false;
    }
    const fer_status status = fer_static_get_public(secret, own);
    if (status != FER_OK) {
        explicit_bzero(secret, sizeof *secret);
        FAULT(fault, "%s: %s", path, fer_status_text(status));
    }
    return status == FER_OK;
}

bool keys_matches(const fer_static_public *key, const char *typed)
{
    uint8_t print[FER_STATIC_FINGERPRINT_BYTES];
    uint8_t given[FER_STATIC_FINGERPRINT_BYTES];
    char digits[2 * FER_STATIC_FINGERPRINT_BYTES];
    size_t n = 0;
    size_t length = 0;
    for (; *typed != '\0'; typed++) {
        if (strchr("-: \r\n", *typed) != NULL) {
            continue;
        }
        if (n == sizeof digits) {
            return false;
        }
        digits[n++] = *typed;
    }
    return text_from_hex(digits, n, given, sizeof given, &length) && length == sizeof given &&
           fer_static_get_fingerprint(key, print) == FER_OK &&
           memcmp(print, given, sizeof print) == 0;
}
