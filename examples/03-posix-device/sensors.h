/* Example 03: what a Linux machine can tell of itself. */
#ifndef EXAMPLE_SENSORS_H
#define EXAMPLE_SENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENSORS_MAX 24
#define SENSOR_TEXT 64

struct sensor {
    uint16_t series;
    char name[SENSOR_TEXT];
    const char *unit;
    char path[256];  /* a file that holds the value */
    const char *key; /* of the line that holds it; null: the first */
    double scale;
};

struct sensors {
    struct sensor each[SENSORS_MAX];
    size_t count;
    size_t temperatures; /* how many of them are; 0 on many virtual machines */
};

/* Finds those that can be read now. */
void sensors_find(struct sensors *sensors);

/* The value now; false where it cannot be read any more. */
bool sensor_read(const struct sensor *sensor, double *value);

#endif
