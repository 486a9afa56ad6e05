/* Sends forged datagrams to a port of this machine as fast as it can, from many source addresses:
 *     flood PORT MILLISECONDS MOST FILE
 * FILE holds what is sent, over and over: of each datagram the length (2 bytes, little-endian), 1
 * for a replay or 0, and the bytes. But for replays the last byte is another one every time. Ends
 * by itself, after that time or that many; prints how many it sent. It sends to 127.0.0.1 only. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOURCES 250u
#define BATCH 64u
#define DATAGRAMS_MAX 64u
#define BYTES_MAX 2048u

struct datagram {
    unsigned char bytes[BYTES_MAX];
    size_t n;
    int is_replay;
};

static struct datagram datagrams[DATAGRAMS_MAX];

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static size_t load(const char *path)
{
    size_t count = 0;
    unsigned char length[2];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail(path);
    }
    while (count < DATAGRAMS_MAX && fread(length, 1, 2, file) == 2) {
        struct datagram *datagram = &datagrams[count++];
        datagram->n = (size_t)(length[0] | length[1] << 8);
        datagram->is_replay = fgetc(file) == 1;
        if (datagram->n > BYTES_MAX ||
            fread(datagram->bytes, 1, datagram->n, file) != datagram->n) {
            fail("a datagram of the file");
        }
    }
    fclose(file);
    return count;
}

static int open_source(unsigned i, const struct sockaddr_in *to)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F000201u + i)};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
        fail("a source address");
    }
    return fd;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One batch from one address; answers how many went out. */
static int send_batch(int fd, size_t count, size_t *at)
{
    static unsigned char copies[BATCH][BYTES_MAX];
    static unsigned char stir;
    struct iovec pieces[BATCH];
    struct mmsghdr headers[BATCH];
    memset(headers, 0, sizeof headers);
    for (size_t i = 0; i < BATCH; i++, *at = (*at + 1) % count) {
        const struct datagram *datagram = &datagrams[*at];
        memcpy(copies[i], datagram->bytes, datagram->n);
        if (!datagram->is_replay && datagram->n > 0) {
            copies[i][datagram->n - 1] ^= (unsigned char)(1u + stir++ % 255u);
        }
        pieces[i] = (struct iovec){copies[i], datagram->n};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    return sendmmsg(fd, headers, BATCH, 0);
}

int main(int argc, char **argv)
{
    int sources[SOURCES];
    size_t at = 0;
    long sent = 0;
    if (argc != 5) {
        fprintf(stderr, "usage: flood PORT MILLISECONDS MOST FILE\n");
        return EXIT_FAILURE;
    }
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((unsigned short)atoi(argv[1])),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const long end = now_ms() + atol(argv[2]);
    const long most = atol(argv[3]);
    const size_t count = load(argv[4]);
    for (unsigned i = 0; i < SOURCES; i++) {
        sources[i] = open_source(i, &to);
    }
    for (unsigned i = 0; count > 0 && sent < most && now_ms() < end; i = (i + 1) % SOURCES) {
        const int done = send_batch(sources[i], count, &at);
        sent += done > 0 ? done : 0;
    }
    printf("%ld\n", sent);
    return EXIT_SUCCESS;
}
