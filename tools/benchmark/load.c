/*
 * The kernel's side of tools/bench: one program for all loads, over IPv4 sockets of the namespace it is started in.
 *
 * Servers print the line "ready" when they listen and run until they are killed:
 *   load echo PORT                            TCP connections and UDP datagrams come back
 *   load sink PORT                            each connection is read to its end
 *   load source PORT                          each connection is written to until the peer closes it
 * Clients print one JSON object and end:
 *   load push ADDRESS PORT SECONDS            write; the time counts until the last byte is acknowledged
 *   load pull ADDRESS PORT SECONDS            read; the time counts from the first byte
 *   load tcp-round-trips ADDRESS PORT COUNT CONNECTIONS
 *                                             one byte there and back, each time on a random one of CONNECTIONS
 *   load udp-round-trips ADDRESS PORT COUNT
 *   load connects ADDRESS PORT COUNT          connect, close, wait for the peer's FIN
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LIFE_SECONDS = 300,    /* no run outlives this, whatever happens to the script that started it */
    PATIENCE_SECONDS = 5,  /* for an answer, and for the last acknowledgement */
    WRITE_BYTES = 64 << 10,
    READ_BYTES = 256 << 10,
    LOST_AT_MOST = 3,      /* unanswered datagrams before a run is given up */
    ACK_POLL_MICROSECONDS = 200,
};

static char buffer[READ_BYTES];

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (*end != '\0' || value < 1) {
        fprintf(stderr, "load: not a positive number: %s\n", text);
        exit(2);
    }
    return value;
}

/* ---- sockets ---- */

static struct sockaddr_in endpoint(const char *address, const char *port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(number(port))};

    if (inet_pton(AF_INET, address, &name.sin_addr) != 1) {
        fprintf(stderr, "load: not an IPv4 address: %s\n", address);
        exit(2);
    }
    return name;
}

/* TCP runs with cubic, whatever the machine prefers: a namespace cannot always choose its default, a socket can. */
static int open_socket(int type)
{
    int fd = socket(AF_INET, type, 0);

    if (fd < 0)
        fail("socket");
    if (type == SOCK_STREAM && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) != 0)
        fail("congestion control cubic");
    return fd;
}

static void no_delay(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int connected(int type, struct sockaddr_in peer)
{
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    int fd = open_socket(type);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (type == SOCK_STREAM)
        no_delay(fd);
    if (connect(fd, (struct sockaddr *)&peer, sizeof peer) != 0)
        fail("connect");
    return fd;
}

static int bound(int type, const char *port)
{
    struct sockaddr_in name = endpoint("0.0.0.0", port);
    int on = 1, fd = open_socket(type);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) != 0)
        fail("bind");
    if (type == SOCK_STREAM && listen(fd, SOMAXCONN) != 0)
        fail("listen");
    return fd;
}

static int accepted(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        fail("accept");
    return fd;
}

static void ready(void)
{
    puts("ready");
    fflush(stdout);
}

/* ---- servers ---- */

static void watch(int poller, int fd)
{
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &interest) != 0)
        fail("epoll_ctl");
}

static void echo_datagram(int fd)
{
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    ssize_t got = recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&peer, &length);

    if (got >= 0)
        sendto(fd, buffer, got, 0, (struct sockaddr *)&peer, length);
}

static void echo_bytes(int fd)
{
    ssize_t got = read(fd, buffer, sizeof buffer);

    if (got <= 0 || write(fd, buffer, got) != got)
        close(fd);
}

static void echo(const char *port)
{
    int listener = bound(SOCK_STREAM, port), datagrams = bound(SOCK_DGRAM, port), poller = epoll_create1(0);
    struct epoll_event events[256];

    watch(poller, listener);
    watch(poller, datagrams);
    ready();
    for (;;) {
        int count = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;

            if (fd == listener) {
                int connection = accepted(listener);

                no_delay(connection);
                watch(poller, connection);
            } else if (fd == datagrams) {
                echo_datagram(fd);
            } else {
                echo_bytes(fd);
            }
        }
    }
}

static void sink(const char *port)
{
    int listener = bound(SOCK_STREAM, port);

    ready();
    for (;;) {
        int fd = accepted(listener);

        while (read(fd, buffer, sizeof buffer) > 0)
            ;
        close(fd);
    }
}

static void source(const char *port)
{
    int listener = bound(SOCK_STREAM, port);

    ready();
    for (;;) {
        int fd = accepted(listener);

        while (write(fd, buffer, WRITE_BYTES) > 0)
            ;
        close(fd);
    }
}

/* ---- bulk clients ---- */

static unsigned retransmissions(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;

    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return info.tcpi_total_retrans;
}

static void push(struct sockaddr_in peer, double seconds)
{
    int fd = connected(SOCK_STREAM, peer), unacknowledged = 1;
    double started = seconds_now(), finished;
    long long bytes = 0;

    while (seconds_now() - started < seconds) {
        ssize_t put = write(fd, buffer, WRITE_BYTES);

        if (put < 0)
            fail("write");
        bytes += put;
    }
    finished = seconds_now();
    while (unacknowledged > 0) {
        if (ioctl(fd, SIOCOUTQ, &unacknowledged) != 0)
            fail("SIOCOUTQ");
        if (seconds_now() - finished > PATIENCE_SECONDS) {
            errno = ETIMEDOUT;
            fail("waiting for the last acknowledgement");
        }
        usleep(ACK_POLL_MICROSECONDS);
    }
    printf("{\"bytes\": %lld, \"seconds\": %.6f, \"retransmissions\": %u}\n", bytes, seconds_now() - started,
           retransmissions(fd));
    close(fd);
}

static void pull(struct sockaddr_in peer, double seconds)
{
    int fd = connected(SOCK_STREAM, peer);
    double first = 0, last = 0;
    long long bytes = 0;

    while (first == 0 || last - first < seconds) {
        ssize_t got = read(fd, buffer, sizeof buffer);

        if (got <= 0)
            fail("read");
        last = seconds_now();
        if (first == 0)
            first = last; /* what came before the clock started does not count */
        else
            bytes += got;
    }
    printf("{\"bytes\": %lld, \"seconds\": %.6f}\n", bytes, last - first);
    close(fd);
}

/* ---- clients that wait for each answer ---- */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void report_times(double *times, long count, double seconds, int lost)
{
    qsort(times, count, sizeof *times, ascending);
    printf("{\"count\": %ld, \"lost\": %d, \"mean_us\": %.3f, \"p50_us\": %.3f, \"p99_us\": %.3f}\n", count, lost,
           seconds / count * 1e6, times[count / 2] * 1e6, times[count * 99 / 100] * 1e6);
}

static void *table(long count, size_t entry)
{
    void *entries = calloc(count, entry);

    if (entries == NULL)
        fail("calloc");
    return entries;
}

static void tcp_round_trips(struct sockaddr_in peer, long count, long connections)
{
    double *times = table(count, sizeof *times), started;
    int *fds = table(connections, sizeof *fds);

    for (long i = 0; i < connections; i++)
        fds[i] = connected(SOCK_STREAM, peer);
    srandom(1); /* the same order in every run */
    started = seconds_now();
    for (long i = 0; i < count; i++) {
        int fd = fds[random() % connections];
        double sent = seconds_now();

        if (write(fd, buffer, 1) != 1 || read(fd, buffer, 1) != 1)
            fail("round trip");
        times[i] = seconds_now() - sent;
    }
    report_times(times, count, seconds_now() - started, 0);
    for (long i = 0; i < connections; i++)
        close(fds[i]);
}

static void udp_round_trips(struct sockaddr_in peer, long count)
{
    int fd = connected(SOCK_DGRAM, peer), lost = 0;
    double *times = table(count, sizeof *times), started = seconds_now();

    for (long i = 0; i < count; i++) {
        double sent = seconds_now();

        if (write(fd, buffer, 1) != 1)
            fail("send");
        if (read(fd, buffer, 1) != 1 && ++lost > LOST_AT_MOST)
            fail("receive");
        times[i] = seconds_now() - sent;
    }
    report_times(times, count, seconds_now() - started, lost);
}

static void connects(struct sockaddr_in peer, long count)
{
    double started = seconds_now();

    for (long i = 0; i < count; i++) {
        int fd = connected(SOCK_STREAM, peer);

        shutdown(fd, SHUT_WR);
        if (read(fd, buffer, sizeof buffer) != 0)
            fail("waiting for the peer's FIN");
        close(fd);
    }
    printf("{\"count\": %ld, \"seconds\": %.6f}\n", count, seconds_now() - started);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";
    struct rlimit files;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(LIFE_SECONDS);
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    if (argc == 3 && strcmp(mode, "echo") == 0)
        echo(argv[2]);
    else if (argc == 3 && strcmp(mode, "sink") == 0)
        sink(argv[2]);
    else if (argc == 3 && strcmp(mode, "source") == 0)
        source(argv[2]);
    else if (argc == 5 && strcmp(mode, "push") == 0)
        push(endpoint(argv[2], argv[3]), atof(argv[4]));
    else if (argc == 5 && strcmp(mode, "pull") == 0)
        pull(endpoint(argv[2], argv[3]), atof(argv[4]));
    else if (argc == 6 && strcmp(mode, "tcp-round-trips") == 0)
        tcp_round_trips(endpoint(argv[2], argv[3]), number(argv[4]), number(argv[5]));
    else if (argc == 5 && strcmp(mode, "udp-round-trips") == 0)
        udp_round_trips(endpoint(argv[2], argv[3]), number(argv[4]));
    else if (argc == 5 && strcmp(mode, "connects") == 0)
        connects(endpoint(argv[2], argv[3]), number(argv[4]));
    else {
        fputs("load: unusable arguments; the modes are listed at the top of load.c\n", stderr);
        return 2;
    }
    return 0;
}
