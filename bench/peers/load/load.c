/* HTTP/1.1 load generator for one loopback server: closed loop with a fixed
 * number of connections, or open loop at a fixed rate.  Unlike wrk it drains:
 * after the deadline it issues nothing more and waits for what is in flight,
 * so that work done by the server and answers counted are the same requests
 * (this matters for CPU per query of slow servers).  It also counts answers
 * that carry GraphQL errors, and those that say that a part of them is old.
 *
 *   load HOST PORT REQUESTS -c CONNS -d SECONDS [-n MAX] [-r PER_SECOND] [-w DRAIN_SECONDS]
 *
 * REQUESTS is a file of raw requests, each preceded by its length and a
 * newline; they are used in turn.  Prints one JSON line.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct { char *p; size_t n; } blob;
typedef struct {
  int fd, busy, open, want_out;
  char *buf; size_t len, cap;
  const char *out; size_t olen;
  long long start;
} conn;

static int ep;
static blob *req; static int nreq, nexti;
static struct sockaddr_in addr;
static unsigned *lat; static long nlat, clat;
static long issued, done_, status_bad, gql_err, degraded, neterr, reconnects;
static unsigned long long bytes;
static long byclass[6];

static long long now_us(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000LL + t.tv_nsec / 1000; }
static void record(long long us) {
  if (nlat == clat) { clat = clat ? clat * 2 : 65536; lat = realloc(lat, clat * sizeof *lat); }
  lat[nlat++] = us > 4294967295LL ? 4294967295U : (unsigned)us;
}
static int open_conn(conn *c) {
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0 || connect(c->fd, (void *)&addr, sizeof addr)) { if (c->fd >= 0) close(c->fd); c->open = 0; return -1; }
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  c->open = 1; c->len = 0; c->want_out = 0;
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
  return 0;
}
static void drop(conn *c) {
  if (c->open) { epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL); close(c->fd); c->open = 0; }
  if (c->busy) { neterr++; c->busy = 0; }
}
static void push(conn *c) {
  while (c->olen) {
    ssize_t w = send(c->fd, c->out, c->olen, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (w < 0) {
      if (errno == EAGAIN) { struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e); c->want_out = 1; return; }
      drop(c); return;
    }
    c->out += w; c->olen -= w;
  }
  if (c->want_out) { struct epoll_event e = {.events = EPOLLIN, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e); c->want_out = 0; }
}
static void issue(conn *c, long long start) {
  if (!c->open) { reconnects++; if (open_conn(c)) { neterr++; issued++; return; } }
  c->out = req[nexti].p; c->olen = req[nexti].n; nexti = (nexti + 1) % nreq;
  c->busy = 1; c->start = start; c->len = 0; issued++;
  push(c);
}
/* 1 when a whole answer is in the buffer, 0 when not yet, -1 on nonsense */
static int whole(conn *c, int *status, size_t *body, int *closing) {
  char *h = memmem(c->buf, c->len, "\r\n\r\n", 4);
  if (!h) return 0;
  size_t hl = h + 4 - c->buf;
  if (c->len < 12 || strncmp(c->buf, "HTTP/1.", 7)) return -1;
  *status = atoi(c->buf + 9);
  *body = hl;
  char save = h[2]; h[2] = 0;
  char *cl = strcasestr(c->buf, "\r\ncontent-length:"), *te = strcasestr(c->buf, "\r\ntransfer-encoding:");
  char *cn = strcasestr(c->buf, "\r\nconnection:");
  size_t want = cl ? strtoul(cl + 17, NULL, 10) : 0;
  *closing = cn && strcasestr(cn, "close") && strcasestr(cn, "close") < strchr(cn + 2, '\r');
  h[2] = save;
  if (te) return c->len >= hl + 5 && !memcmp(c->buf + c->len - 5, "0\r\n\r\n", 5) && (c->len == hl + 5 || !memcmp(c->buf + c->len - 7, "\r\n", 2));
  return c->len >= hl + want;
}
static int cmp(const void *a, const void *b) { unsigned x = *(unsigned *)a, y = *(unsigned *)b; return x < y ? -1 : x > y; }
static double pct(double p) { return nlat ? lat[(long)(p / 100 * (nlat - 1) + 0.5)] / 1000.0 : 0; }

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int nc = 64; double secs = 5, drain = 20, rate = 0; long max = 0;
  for (int i = 4; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "-c")) nc = atoi(argv[i + 1]);
    else if (!strcmp(argv[i], "-d")) secs = atof(argv[i + 1]);
    else if (!strcmp(argv[i], "-n")) max = atol(argv[i + 1]);
    else if (!strcmp(argv[i], "-r")) rate = atof(argv[i + 1]);
    else if (!strcmp(argv[i], "-w")) drain = atof(argv[i + 1]);
  }
  signal(SIGPIPE, SIG_IGN);
  addr.sin_family = AF_INET; addr.sin_port = htons(atoi(argv[2])); inet_pton(AF_INET, argv[1], &addr.sin_addr);
  FILE *f = fopen(argv[3], "rb");
  size_t n; char line[64];
  while (f && fgets(line, sizeof line, f)) {
    n = strtoul(line, NULL, 10);
    req = realloc(req, (nreq + 1) * sizeof *req);
    req[nreq].p = malloc(n); req[nreq].n = n;
    if (fread(req[nreq].p, 1, n, f) != n) break;
    nreq++; (void)!fgets(line, sizeof line, f);
  }
  if (!nreq) { fprintf(stderr, "no requests\n"); return 2; }
  ep = epoll_create1(0);
  conn *cs = calloc(nc, sizeof *cs);
  for (int i = 0; i < nc; i++) { cs[i].cap = 65536; cs[i].buf = malloc(cs[i].cap + 1); if (open_conn(&cs[i])) { perror("connect"); return 1; } }
  long long t0 = now_us(), stop = t0 + (long long)(secs * 1e6), end = stop + (long long)(drain * 1e6), last = t0;
  long long waiting = 0; /* open loop: arrivals so far */
  int *idle = malloc(nc * sizeof *idle), nidle = 0;
  if (rate) for (int i = 0; i < nc; i++) idle[nidle++] = i;
  else for (int i = 0; i < nc && (!max || issued < max); i++) issue(&cs[i], now_us());
  struct epoll_event ev[256];
  long long peak_wait = 0;
  for (;;) {
    long long t = now_us();
    int more = t < stop && (!max || issued < max);
    if (rate && more) {
      long long due = (long long)((t - t0) * rate / 1e6) + 1; /* arrival k is due at k/rate */
      if (due - waiting > peak_wait) peak_wait = due - waiting;
      while (waiting < due && nidle) { conn *c = &cs[idle[--nidle]]; issue(c, t0 + (long long)(waiting * 1e6 / rate)); waiting++; if (!c->busy) idle[nidle++] = c - cs; }
    }
    if (!more) {
      int busy = 0;
      for (int i = 0; i < nc; i++) busy += cs[i].busy;
      if (!busy || t > end) break;
    }
    int k = epoll_wait(ep, ev, 256, rate ? 1 : 100);
    for (int i = 0; i < k; i++) {
      conn *c = ev[i].data.ptr;
      if (!c->open) continue;
      if (ev[i].events & EPOLLOUT) push(c);
      if (!c->open || !(ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      if (c->len == c->cap) { c->cap *= 2; c->buf = realloc(c->buf, c->cap + 1); }
      ssize_t r = recv(c->fd, c->buf + c->len, c->cap - c->len, MSG_DONTWAIT);
      int lost = 0;
      if (r < 0 && errno == EAGAIN) continue;
      if (r <= 0) { lost = 1; drop(c); }
      else { c->len += r; bytes += r; c->buf[c->len] = 0; }
      int st = 0, closing = 0, fin = 0; size_t b = 0;
      if (!lost) {
        int w = c->busy ? whole(c, &st, &b, &closing) : 0;
        if (w < 0) { drop(c); lost = 1; }
        else if (w) {
          last = now_us(); record(last - c->start); done_++; fin = 1;
          byclass[st / 100 < 6 ? st / 100 : 0]++;
          if (st != 200) status_bad++;
          if (memmem(c->buf + b, c->len - b, "\"errors\":", 9)) gql_err++;
          if (memmem(c->buf + b, c->len - b, "\"degraded\":", 11)) degraded++;
          c->busy = 0;
          if (closing) { drop(c); }
        }
      }
      if (fin || lost) {
        if (rate) idle[nidle++] = c - cs;
        else if (now_us() < stop && (!max || issued < max)) issue(c, now_us());
      }
    }
  }
  long unfinished = 0;
  for (int i = 0; i < nc; i++) unfinished += cs[i].busy;
  qsort(lat, nlat, sizeof *lat, cmp);
  double sum = 0;
  for (long i = 0; i < nlat; i++) sum += lat[i];
  printf("{\"issued\":%ld,\"requests\":%ld,\"unfinished\":%ld,\"us\":%lld,\"bytes\":%llu,\"net_errors\":%ld,\"status_bad\":%ld,\"gql_errors\":%ld,\"degraded\":%ld,\"s2xx\":%ld,\"s4xx\":%ld,\"s5xx\":%ld,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f,\"mean\":%.3f,\"behind\":%lld}\n",
         issued, done_, unfinished, last - t0, bytes, neterr, status_bad, gql_err, degraded, byclass[2], byclass[4], byclass[5], pct(50), pct(90), pct(99), nlat ? lat[nlat - 1] / 1000.0 : 0.0, nlat ? sum / nlat / 1000 : 0.0, peak_wait);
  return 0;
}
