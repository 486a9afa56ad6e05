/* Sessions of the example. The secret key is in this file's memory only until the greeter has it.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"
#include "posix.h"

enum { KEY = FER_NOISE_KEY_BYTES, DIGITS = 2 * KEY, RETRY_MS = 2000, HOUR_MS = 3600000 };

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

/* A key of either kind, and what the file system says of its file. */
static bool read_hex(const char *path, uint8_t key[KEY], struct stat *about)
{
    char text[DIGITS + 2];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, about) != 0) {
        complain(path, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    ssize_t n = read(fd, text, sizeof text);
    (void)close(fd);
    n -= n > 0 && text[n - 1] == '\n';
    bool good = n >= 0 && parse_key(text, (size_t)n, key);
    explicit_bzero(text, sizeof text);
    return good || complain(path, "is no static key ('ferrule keygen --static' makes one)");
}

static bool write_hex(const char *path, const uint8_t key[KEY])
{
    static const char digits[] = "0123456789abcdef";
    char text[DIGITS + 1];
    for (size_t i = 0; i < KEY; i++) {
        text[2 * i] = digits[key[i] >> 4];
        text[2 * i + 1] = digits[key[i] & 15];
    }
    text[DIGITS] = '\n';
    bool good = durable_write(path, text, sizeof text);
    explicit_bzero(text, sizeof text);
    return good || complain(path, strerror(errno));
}

bool session_make_key(const char *path)
{
    fer_static_secret secret;
    fer_static_public own;
    if (access(path, F_OK) == 0) {
        return true;
    }
    const fer_status status = fer_static_generate(posix_entropy(), &secret, &own);
    if (status != FER_OK) {
        return complain(path, fer_status_text(status));
    }
    const bool good = write_hex(path, secret.bytes);
    explicit_bzero(&secret, sizeof secret);
    return good;
}

bool session_read_key(const char *path, fer_static_secret *secret, fer_static_public *own)
{
    struct stat about;
    if (!read_hex(path, secret->bytes, &about)) {
        return false;
    }
    if ((about.st_mode & 077) != 0) {
        explicit_bzero(secret, sizeof *secret);
        return complain(path, "others may read the key: chmod 600, or make another");
    }
    const fer_status status = fer_static_get_public(secret, own);
    return status == FER_OK || complain(path, fer_status_text(status));
}

bool session_keep_gateway(const char *path, const fer_static_public *gateway)
{
    return write_hex(path, gateway->bytes);
}

bool session_read_gateway(const char *path, fer_static_public *gateway)
{
    struct stat about;
    return read_hex(path, gateway->bytes, &about);
}

bool session_parse_gateway(const char *hex, fer_static_public *gateway)
{
    return parse_key(hex, strlen(hex), gateway->bytes) ||
           complain(hex, "is no public key: 64 digits in hex are wanted");
}

bool session_open(fer_arena *arena, const fer_static_public *gateway, const char *key_file,
                  uint32_t silence_ms, fer_greeter **greeter)
{
    fer_greeter_config config = {.gateway = *gateway,
                                 .window_bits = SESSION_WINDOW,
                                 .retry_ms = RETRY_MS,
                                 .renew_ms = HOUR_MS,
                                 .silence_ms = silence_ms,
                                 .entropy = posix_entropy()};
    bool good = session_read_key(key_file, &config.secret, &config.own);
    if (good) {
        const fer_status status = fer_greeter_create(arena, &config, greeter);
        good = status == FER_OK || complain("session", fer_status_text(status));
    }
    explicit_bzero(&config, sizeof config);
    return good;
}
