#include "sensors.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD = 1, MEMORY = 2, TEMPERATURES = 16 };

bool sensor_read(const struct sensor *sensor, double *value)
{
    char line[256];
    size_t key = sensor->key == NULL ? 0 : strlen(sensor->key);
    bool found = false;
    FILE *file = fopen(sensor->path, "re");
    if (file == NULL) {
        return false;
    }
    while (!found && fgets(line, sizeof line, file) != NULL) {
        char *end = line + key;
        if (key == 0 || strncmp(line, sensor->key, key) == 0) {
            *value = strtod(line + key, &end) * sensor->scale;
            found = end != line + key;
        }
    }
    (void)fclose(file);
    return found;
}

static void add(struct sensors *sensors, const struct sensor *sensor)
{
    double value;
    if (sensors->count < SENSORS_MAX && sensor_read(sensor, &value)) {
        sensors->each[sensors->count++] = *sensor;
    }
}

/* The first line of a file beside `path`, or nothing. */
static void read_name(const char *path, const char *beside, char out[SENSOR_TEXT])
{
    char name_path[300];
    const char *slash = strrchr(path, '/');
    out[0] = '\0';
    (void)snprintf(name_path, sizeof name_path, "%.*s/%s", (int)(slash - path), path, beside);
    FILE *file = fopen(name_path, "re");
    if (file != NULL) {
        if (fgets(out, SENSOR_TEXT, file) != NULL) {
            out[strcspn(out, "\n")] = '\0';
        }
        (void)fclose(file);
    }
}

/* The kernel tells temperatures in thousandths of a degree. */
static void add_temperatures(struct sensors *sensors, const char *pattern, const char *beside)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) {
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct sensor sensor = {.unit = "°C", .scale = 0.001};
        char name[SENSOR_TEXT];
        size_t before = sensors->count;
        sensor.series = (uint16_t)(TEMPERATURES + sensors->temperatures);
        (void)snprintf(sensor.path, sizeof sensor.path, "%s", found.gl_pathv[i]);
        read_name(sensor.path, beside, name);
        (void)snprintf(sensor.name, sizeof sensor.name, "temperature %.40s", name);
        add(sensors, &sensor);
        sensors->temperatures += sensors->count - before;
    }
    globfree(&found);
}

void sensors_find(struct sensors *sensors)
{
    static const struct sensor load = {LOAD, "load, 1 minute", "", "/proc/loadavg", NULL, 1.0};
    static const struct sensor memory = {MEMORY,          "memory available", "KiB",
                                         "/proc/meminfo", "MemAvailable:",    1.0};
    memset(sensors, 0, sizeof *sensors);
    add(sensors, &load);
    add(sensors, &memory);
    add_temperatures(sensors, "/sys/class/thermal/thermal_zone*/temp", "type");
    add_temperatures(sensors, "/sys/class/hwmon/hwmon*/temp*_input", "name");
}
