/* Tests: public vectors in JSON files below FERRULE_DATA_DIR. For hosts; needs cJSON. */
#ifndef FERRULE_TESTS_VECTORS_JSON_FILE_H
#define FERRULE_TESTS_VECTORS_JSON_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#define JSON_FILE_SKIP 77

/* Parses the file of this path. An absent one skips the whole test program, loudly; a broken one
 * fails it. Free the answer with cJSON_Delete. */
static inline cJSON *json_file_load_path(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)printf("SKIPPED: no public vectors at '%s' (set FERRULE_DATA_DIR)\n", path);
        (void)fflush(stdout);
        exit(JSON_FILE_SKIP);
    }
    size_t n = 0;
    size_t capacity = (size_t)1 << 16;
    char *text = malloc(capacity);
    while (text != NULL) {
        n += fread(text + n, 1, capacity - n, file);
        if (n < capacity) {
            break;
        }
        capacity *= 2;
        char *larger = realloc(text, capacity);
        if (larger == NULL) {
            free(text);
        }
        text = larger;
    }
    cJSON *json = text == NULL ? NULL : cJSON_ParseWithLength(text, n);
    free(text);
    (void)fclose(file);
    if (json == NULL) {
        (void)printf("FAILED: %s is not JSON\n", path);
        exit(EXIT_FAILURE);
    }
    return json;
}

/* The same of FERRULE_DATA_DIR/name. */
static inline cJSON *json_file_load(const char *name)
{
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/%s", FERRULE_DATA_DIR, name);
    return json_file_load_path(FERRULE_DATA_DIR[0] == '\0' ? "" : path);
}

/* The string member `name`; its absence fails the program: a vector file we misread must not look
 * like one that passes. */
static inline const char *json_file_text(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!cJSON_IsString(item)) {
        (void)printf("FAILED: no string member '%s'\n", name);
        exit(EXIT_FAILURE);
    }
    return item->valuestring;
}

/* The integer member `name`, likewise. */
static inline long json_file_integer(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!cJSON_IsNumber(item)) {
        (void)printf("FAILED: no number member '%s'\n", name);
        exit(EXIT_FAILURE);
    }
    return (long)item->valuedouble;
}

/* Decodes the hex member `name` into out and answers its length in bytes, likewise. */
static inline size_t json_file_hex(const cJSON *object, const char *name, uint8_t *out,
                                   size_t capacity)
{
    static const char digits[] = "0123456789abcdef";
    const char *text = json_file_text(object, name);
    size_t n = strlen(text) / 2;
    int bad = strlen(text) % 2 != 0 || n > capacity;

    for (size_t i = 0; !bad && i < 2 * n; i++) {
        const char *digit = strchr(digits, text[i] | 0x20);
        bad = digit == NULL || *digit == '\0';
        if (!bad) {
            unsigned value = (unsigned)(digit - digits);
            out[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : out[i / 2] | value);
        }
    }
    if (bad) {
        (void)printf("FAILED: '%s' is not hex of at most %zu bytes\n", name, capacity);
        exit(EXIT_FAILURE);
    }
    return n;
}

#endif
