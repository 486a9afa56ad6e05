/* Sessions of the example. The secret key is in this file's memory only until the greeter has it.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

enum { KEY = FER_NOISE_KEY_BYTES, DIGITS = 2 * KEY, RETRY_MS = 2000, HOUR_MS = 3600000 };

/* A minute without an answer to what asked for one. */
enum { SILENCE_MS = 60000 };

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "posix-device: %s: %s\n", what, why);
    return false;
}

/* -1: no digit. */
static int get_digit(char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = letter == '\0' ? NULL : strchr(digits, letter | ('a' ^ 'A'));
    return at == NULL ? -1 : (int)(at - digits);
}

static bool parse_key(const char *text, size_t n, uint8_t key[KEY])
{
    bool good = n == DIGITS;
    for (size_t i = 0; good && i < KEY; i++) {
        int high = get_digit(text[2 * i]), low = get_digit(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    return good;
}

static bool read_secret(const char *path, fer_static_secret *secret)
{
    char text[DIGITS + 2];
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) {
        complain(path, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    ssize_t n = read(fd, text, sizeof text);
    (void)close(fd);
    n -= n > 0 && text[n - 1] == '\n';
    bool good = n >= 0 && parse_key(text, (size_t)n, secret->bytes);
    explicit_bzero(text, sizeof text);
    if (!good) {
        return complain(path, "is no static key ('ferrule keygen --static' makes one)");
    }
    return (about.st_mode & 077) == 0 ||
           complain(path, "others may read the key: chmod 600, or make another");
}

bool session_open(fer_arena *arena, const char *gateway, const char *key_file,
                  fer_greeter **greeter)
{
    fer_greeter_config config = {.window_bits = SESSION_WINDOW,
                                 .retry_ms = RETRY_MS,
                                 .renew_ms = HOUR_MS,
                                 .silence_ms = SILENCE_MS,
                                 .entropy = posix_entropy()};
    if (!parse_key(gateway, strlen(gateway), config.gateway.bytes)) {
        return complain(gateway, "is no public key: 64 digits in hex are wanted");
    }
    bool good = read_secret(key_file, &config.secret);
    if (good) {
        fer_status status = fer_static_get_public(&config.secret, &config.own);
        if (status == FER_OK) {
            status = fer_greeter_create(arena, &config, greeter);
        }
        good = status == FER_OK || complain("session", fer_status_text(status));
    }
    explicit_bzero(&config, sizeof config);
    return good;
}
