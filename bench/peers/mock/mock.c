/* Upstream mock: five REST services plus a posts/users service, one process,
 * one thread, epoll, pre-rendered bodies.  It is deliberately cheap, so that a
 * benchmark of a GraphQL server in front of it measures that server.
 *
 *   ports (base B, default 29300):  B control, B+1 users, B+2 orders,
 *   B+3 products, B+4 payments, B+5 notifications, B+6 posts
 *
 * Routes
 *   users          GET /users/{id}
 *   orders         GET /orders?userId=&limit=            (limit to 100)
 *   products       GET /products?ids=1,2,3     GET /products/{id}
 *   payments       GET /payments/{orderId}
 *   notifications  GET /notifications?userId=&unread=true
 *   posts          GET /posts?limit=   GET /users/{id}   GET /users?id=1&id=2
 *                  (100 posts without a limit, which goes to 10,000)
 * Ids of users go to 10,000,000: the first thousand are rendered beforehand,
 * the others when they are asked for.
 * Control
 *   GET /set?service=orders&delay=20&fail=100&hang=0   (service=all for all)
 *   GET /stats            counters since the last reset, as JSON
 *   GET /reset            zero the counters
 *
 * fail is a percentage of requests answered 503; hang=1 never answers;
 * delay is in milliseconds.  Listens on 127.0.0.1 only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

enum { CTL, USERS, ORDERS, PRODUCTS, PAYMENTS, NOTES, POSTS, NSVC };
static const char *svc_name[NSVC] = {"control", "users", "orders", "products",
                                     "payments", "notifications", "posts"};
static struct svc {
  int delay_ms, fail_pct, hang;
  unsigned long requests, ok, failed, hung, aborted, conns;
  int inflight, max_inflight;
} svc[NSVC];

typedef struct { char *p; size_t n; } blob;
#define NUSER 1000
#define NPROD 200
#define MOSTUSER 10000000
#define NPOST 100
#define MOSTPOST 10000
#define NJUSER 10
#define MAXORD 20
#define MOSTORD 100
static blob user_r[NUSER + 1], orders_r[NUSER + 1][MAXORD + 1], notes_r[NUSER + 1];
static blob prod_r[NPROD + 1], prod_b[NPROD + 1], posts_r[MOSTPOST + 1], juser_r[NJUSER + 1], juser_b[NJUSER + 1];

static const char *firsts[] = {"Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Leslie", "Radia", "Ken", "Margaret"};
static const char *lasts[] = {"Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Lamport", "Perlman", "Thompson", "Hamilton"};
static const char *words[] = {"amber", "basin", "cinder", "delta", "ember", "fjord", "garnet", "harbor", "island", "juniper", "kelp", "lagoon", "meadow", "north", "ocean", "pebble"};
static const char *statuses[] = {"PENDING", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"};

static blob mk(const char *s) { blob b = {strdup(s), strlen(s)}; return b; }
static blob resp(int code, const char *body, size_t n) {
  blob b;
  b.p = malloc(n + 256);
  int h = sprintf(b.p, "HTTP/1.1 %d %s\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n",
                  code, code == 200 ? "OK" : code == 404 ? "Not Found" : "Service Unavailable", n);
  memcpy(b.p + h, body, n);
  b.n = h + n;
  return b;
}
static long price_cents(int p) { return (long)(p * 3701L % 9900) + 100; }
static int item_product(int u, int i, int k) { return (u * 7 + i * 3 + k * 11) % NPROD + 1; }
static int item_qty(int u, int i, int k) { return (u + i + k) % 4 + 1; }
static int one_order(char *o, int u, int i) {
  long total = 0;
  for (int k = 0; k < 2; k++) total += item_qty(u, i, k) * price_cents(item_product(u, i, k));
  int n = sprintf(o, "{\"id\":\"o-%d-%d\",\"userId\":\"%d\",\"status\":\"%s\",\"total\":{\"amount\":\"%ld.%02ld\",\"currency\":\"EUR\"},\"createdAt\":\"2026-10-%02dT08:%02d:00Z\",\"items\":[",
                  u, i, u, statuses[(u + i) % 5], total / 100, total % 100, i % 28 + 1, u % 60);
  for (int k = 0; k < 2; k++) {
    int p = item_product(u, i, k);
    long c = price_cents(p);
    n += sprintf(o + n, "%s{\"productId\":\"%d\",\"quantity\":%d,\"unitPrice\":{\"amount\":\"%ld.%02ld\",\"currency\":\"EUR\"}}", k ? "," : "", p, item_qty(u, i, k), c / 100, c % 100);
  }
  return n + sprintf(o + n, "]}");
}
static int one_user(char *t, int u) {
  return sprintf(t, "{\"id\":\"%d\",\"name\":\"%s %s\",\"email\":\"user%d@example.com\",\"phone\":\"+49 30 %06d\",\"tier\":\"%s\",\"address\":{\"street\":\"%s street %d\",\"city\":\"%s\",\"zip\":\"%05d\"},\"createdAt\":\"2024-0%d-11T10:00:00Z\"}",
                u, firsts[u % 10], lasts[u / 10 % 10], u, u * 37 % 1000000, u % 3 ? "standard" : "gold", words[u % 16], u, words[(u + 5) % 16], u * 91 % 100000, u % 9 + 1);
}
static int many_orders(char *t, int u, int L) {
  int n = 0;
  t[n++] = '[';
  for (int i = 1; i <= L; i++) { if (i > 1) t[n++] = ','; n += one_order(t + n, u, i); }
  t[n++] = ']';
  return n;
}
static int three_notes(char *t, int u) {
  int n = 0;
  t[n++] = '[';
  for (int i = 1; i <= 3; i++)
    n += sprintf(t + n, "%s{\"id\":\"n-%d-%d\",\"userId\":\"%d\",\"message\":\"Your order o-%d-%d is %s\",\"read\":false,\"createdAt\":\"2026-11-%02dT09:00:00Z\"}",
                 i > 1 ? "," : "", u, i, u, u, i, statuses[(u + i) % 5], i);
  t[n++] = ']';
  return n;
}
static blob many_posts(int count) {
  char *t = malloc(64 + (size_t)count * 768);
  int n = sprintf(t, "[\n");
  for (int i = 1; i <= count; i++) {
    char title[128] = "", body[512] = "";
    for (int w = 0; w < 6; w++) { strcat(title, words[(i * 5 + w * 3) % 16]); if (w < 5) strcat(title, " "); }
    for (int w = 0; w < 24; w++) { strcat(body, words[(i * 3 + w * 7) % 16]); strcat(body, w % 6 == 5 ? "\\n" : " "); }
    n += sprintf(t + n, "  {\n    \"userId\": %d,\n    \"id\": %d,\n    \"title\": \"%s\",\n    \"body\": \"%s\"\n  }%s\n", (i - 1) / 10 % NJUSER + 1, i, title, body, i < count ? "," : "");
  }
  n += sprintf(t + n, "]");
  blob b = resp(200, t, n);
  free(t);
  return b;
}
static char t[262144];
static void build(void) {
  int n;
  for (int u = 1; u <= NUSER; u++) {
    n = one_user(t, u);
    user_r[u] = resp(200, t, n);
    for (int L = 0; L <= MAXORD; L++) {
      n = many_orders(t, u, L);
      orders_r[u][L] = resp(200, t, n);
    }
    n = three_notes(t, u);
    notes_r[u] = resp(200, t, n);
  }
  for (int p = 1; p <= NPROD; p++) {
    long c = price_cents(p);
    n = sprintf(t, "{\"id\":\"%d\",\"name\":\"%s %s %d\",\"price\":{\"amount\":\"%ld.%02ld\",\"currency\":\"EUR\"},\"description\":\"A %s %s from the %s, number %d\",\"stock\":%d}",
                p, words[p % 16], words[(p + 3) % 16], p, c / 100, c % 100, words[(p + 1) % 16], words[(p + 7) % 16], words[(p + 9) % 16], p, p * 13 % 500);
    prod_b[p] = mk(t);
    prod_r[p] = resp(200, t, n);
  }
  for (int u = 1; u <= NJUSER; u++) {
    n = sprintf(t, "{\n  \"id\": %d,\n  \"name\": \"%s %s\",\n  \"username\": \"%s%d\",\n  \"email\": \"%s%d@example.org\",\n  \"address\": {\n    \"street\": \"%s road\",\n    \"suite\": \"Apt. %d\",\n    \"city\": \"%s\",\n    \"zipcode\": \"%05d-%04d\",\n    \"geo\": {\n      \"lat\": \"-37.%04d\",\n      \"lng\": \"81.%04d\"\n    }\n  },\n  \"phone\": \"1-770-736-%04d x56442\",\n  \"website\": \"%s.example.org\",\n  \"company\": {\n    \"name\": \"%s-%s\",\n    \"catchPhrase\": \"Multi-layered client-server neural-net\",\n    \"bs\": \"harness real-time e-markets\"\n  }\n}",
                u, firsts[u - 1], lasts[(u + 2) % 10], firsts[u - 1], u, firsts[u - 1], u, words[u], 500 + u, words[u + 3], 92000 + u, 3870 + u, 3150 + u, 1490 + u, 8030 + u, words[u + 1], words[u + 2], words[u + 4]);
    juser_b[u] = mk(t);
    juser_r[u] = resp(200, t, n);
  }
}

typedef struct conn {
  int fd, s;
  char *in; size_t ilen, icap;
  const char *out; size_t olen; char *own;
  int busy;               /* a delayed or hung answer is pending */
  int counted;
  unsigned gen;
  int dead;
  struct conn *next_free;
} conn;
static int ep;
static conn *freelist;

typedef struct { long long due; conn *c; unsigned gen; const char *p; size_t n; char *own; } timer_e;
static timer_e *heap; static int hn, hcap;
static long long now_us(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000LL + t.tv_nsec / 1000; }
static void hpush(timer_e e) {
  if (hn == hcap) { hcap = hcap ? hcap * 2 : 1024; heap = realloc(heap, hcap * sizeof *heap); }
  int i = hn++;
  while (i && heap[(i - 1) / 2].due > e.due) { heap[i] = heap[(i - 1) / 2]; i = (i - 1) / 2; }
  heap[i] = e;
}
static timer_e hpop(void) {
  timer_e top = heap[0], e = heap[--hn];
  int i = 0;
  for (;;) {
    int c = 2 * i + 1;
    if (c >= hn) break;
    if (c + 1 < hn && heap[c + 1].due < heap[c].due) c++;
    if (heap[c].due >= e.due) break;
    heap[i] = heap[c]; i = c;
  }
  if (hn) heap[i] = e;
  return top;
}

static void close_conn(conn *c) {
  if (c->dead) return;
  c->dead = 1; c->gen++;
  if (c->counted) { svc[c->s].inflight--; svc[c->s].aborted++; c->counted = 0; }
  epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
  close(c->fd);
  free(c->own); c->own = NULL;
  c->next_free = freelist; freelist = c;
}
static void want(conn *c, int out) {
  struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static int flush_out(conn *c) { /* 1 done, 0 would block, -1 closed */
  while (c->olen) {
    ssize_t w = send(c->fd, c->out, c->olen, MSG_NOSIGNAL);
    if (w < 0) {
      if (errno == EAGAIN) { want(c, 1); return 0; }
      close_conn(c); return -1;
    }
    c->out += w; c->olen -= w;
  }
  free(c->own); c->own = NULL;
  if (c->counted) { svc[c->s].inflight--; c->counted = 0; }
  c->busy = 0;
  return 1;
}
static int give(conn *c, const char *p, size_t n, char *own) {
  c->out = p; c->olen = n; c->own = own; c->busy = 1;
  return flush_out(c);
}

static const char NF[] = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{\"error\":\"not found\"}";
static const char SU[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n{\"error\":\"unavailable\"}";

static const char *qarg(const char *q, const char *name, int *len) {
  size_t n = strlen(name);
  while (q && *q) {
    const char *amp = strchr(q, '&');
    if (!strncmp(q, name, n) && q[n] == '=') {
      *len = amp ? (int)(amp - q - n - 1) : (int)strlen(q + n + 1);
      return q + n + 1;
    }
    q = amp ? amp + 1 : NULL;
  }
  return NULL;
}
static blob NFB(void) { blob b = {(char *)NF, sizeof NF - 1}; return b; }

static char *render_list(blob *src, int max, const char *q, const char *name, int split, size_t *n) {
  size_t cap = 65536, k = 0;
  char *body = malloc(cap), *r;
  int count = 0;
  body[k++] = '[';
  size_t nl = strlen(name);
  while (q && *q) {
    const char *amp = strchr(q, '&');
    if (!strncmp(q, name, nl) && q[nl] == '=') {
      const char *v = q + nl + 1;
      for (;;) {
        int id = atoi(v);
        if (id >= 1 && id <= max && k + src[id].n + 2 < cap) {
          if (count++) body[k++] = ',';
          memcpy(body + k, src[id].p, src[id].n); k += src[id].n;
        }
        while (*v && *v != '&' && *v != ',' && *v != '%') v++;
        if (!split || !*v || *v == '&') break;
        v += *v == '%' ? 3 : 1;
      }
    }
    q = amp ? amp + 1 : NULL;
  }
  body[k++] = ']';
  blob b = resp(200, body, k);
  free(body);
  r = b.p; *n = b.n;
  return r;
}

static blob made(int n, char **own) { blob b = resp(200, t, n); *own = b.p; return b; }

/* returns the answer for a request; *own set when it must be freed */
static blob answer(int s, char *path, char **own) {
  *own = NULL;
  char *q = strchr(path, '?');
  if (q) *q++ = 0;
  int len, id, L;
  const char *a;
  switch (s) {
  case USERS:
    if (strncmp(path, "/users/", 7)) break;
    id = atoi(path + 7);
    if (id < 1 || id > MOSTUSER) break;
    return id <= NUSER ? user_r[id] : made(one_user(t, id), own);
  case ORDERS:
    if (strcmp(path, "/orders")) break;
    a = qarg(q, "userId", &len); id = a ? atoi(a) : 0;
    a = qarg(q, "limit", &len); L = a ? atoi(a) : MAXORD;
    if (L < 0) L = 0;
    if (L > MOSTORD) L = MOSTORD;
    if (id < 1 || id > MOSTUSER) break;
    return id <= NUSER && L <= MAXORD ? orders_r[id][L] : made(many_orders(t, id, L), own);
  case PRODUCTS:
    if (!strcmp(path, "/products")) { blob b; *own = render_list(prod_b, NPROD, q, "ids", 1, &b.n); b.p = *own; return b; }
    if (strncmp(path, "/products/", 10)) break;
    id = atoi(path + 10);
    return id >= 1 && id <= NPROD ? prod_r[id] : NFB();
  case PAYMENTS: {
    int u, i;
    if (sscanf(path, "/payments/o-%d-%d", &u, &i) != 2) break;
    int n = sprintf(t, "{\"id\":\"pay-o-%d-%d\",\"orderId\":\"o-%d-%d\",\"status\":\"%s\",\"method\":\"%s\",\"paidAt\":\"2026-10-%02dT08:30:00Z\"}", u, i, u, i, (u + i) % 4 ? "CAPTURED" : "REFUNDED", i % 2 ? "card" : "transfer", i % 28 + 1);
    return made(n, own);
  }
  case NOTES:
    if (strcmp(path, "/notifications")) break;
    a = qarg(q, "userId", &len); id = a ? atoi(a) : 0;
    if (id < 1 || id > MOSTUSER) break;
    return id <= NUSER ? notes_r[id] : made(three_notes(t, id), own);
  case POSTS:
    if (!strcmp(path, "/posts")) {
      a = qarg(q, "limit", &len); L = a ? atoi(a) : NPOST;
      if (L < 1 || L > MOSTPOST) break;
      if (!posts_r[L].p) posts_r[L] = many_posts(L);
      return posts_r[L];
    }
    if (!strcmp(path, "/users")) { blob b; *own = render_list(juser_b, NJUSER, q, "id", 1, &b.n); b.p = *own; return b; }
    if (strncmp(path, "/users/", 7)) break;
    id = atoi(path + 7);
    return id >= 1 && id <= NJUSER ? juser_r[id] : NFB();
  }
  return NFB();
}
static blob control(char *path, char **own) {
  char t[4096];
  int n = 0, len;
  char *q = strchr(path, '?');
  if (q) *q++ = 0;
  if (!strcmp(path, "/set")) {
    const char *a = qarg(q, "service", &len);
    for (int s = 1; s < NSVC; s++) {
      if (!a || !((int)strlen(svc_name[s]) == len && !strncmp(a, svc_name[s], len)) ) if (!(a && len == 3 && !strncmp(a, "all", 3))) continue;
      const char *v; int l;
      if ((v = qarg(q, "delay", &l))) svc[s].delay_ms = atoi(v);
      if ((v = qarg(q, "fail", &l))) svc[s].fail_pct = atoi(v);
      if ((v = qarg(q, "hang", &l))) svc[s].hang = atoi(v);
    }
  } else if (!strcmp(path, "/reset")) {
    for (int s = 1; s < NSVC; s++) { svc[s].requests = svc[s].ok = svc[s].failed = svc[s].hung = svc[s].aborted = svc[s].conns = 0; svc[s].max_inflight = svc[s].inflight; }
  } else if (strcmp(path, "/stats")) return NFB();
  t[n++] = '{';
  for (int s = 1; s < NSVC; s++)
    n += sprintf(t + n, "%s\"%s\":{\"requests\":%lu,\"ok\":%lu,\"failed\":%lu,\"hung\":%lu,\"aborted\":%lu,\"connections\":%lu,\"inflight\":%d,\"max_inflight\":%d,\"delay\":%d,\"fail\":%d,\"hang\":%d}",
                 s > 1 ? "," : "", svc_name[s], svc[s].requests, svc[s].ok, svc[s].failed, svc[s].hung, svc[s].aborted, svc[s].conns, svc[s].inflight, svc[s].max_inflight, svc[s].delay_ms, svc[s].fail_pct, svc[s].hang);
  t[n++] = '}';
  blob b = resp(200, t, n); *own = b.p; return b;
}

static void process(conn *c) {
  while (!c->busy && c->ilen) {
    char *end = memmem(c->in, c->ilen, "\r\n\r\n", 4);
    if (!end) return;
    size_t hl = end + 4 - c->in, body = 0;
    end[2] = 0; /* keep the header block a string for the search below */
    char *cl = strcasestr(c->in, "\r\ncontent-length:");
    if (cl) body = strtoul(cl + 17, NULL, 10);
    if (c->ilen < hl + body) { end[2] = '\r'; return; }
    char path[8192]; size_t pl = 0;
    char *sp = memchr(c->in, ' ', hl);
    if (!sp) { close_conn(c); return; }
    for (char *x = sp + 1; x < end && *x != ' ' && pl < sizeof path - 1; x++) path[pl++] = *x;
    path[pl] = 0;
    memmove(c->in, c->in + hl + body, c->ilen - hl - body);
    c->ilen -= hl + body;
    char *own = NULL; blob b;
    struct svc *v = &svc[c->s];
    if (c->s == CTL) { b = control(path, &own); if (give(c, b.p, b.n, own) < 0) return; continue; }
    v->requests++; v->inflight++; c->counted = 1;
    if (v->inflight > v->max_inflight) v->max_inflight = v->inflight;
    if (v->hang) { v->hung++; c->busy = 1; return; }
    if (v->fail_pct && (v->fail_pct >= 100 || rand() % 100 < v->fail_pct)) { v->failed++; b.p = (char *)SU; b.n = sizeof SU - 1; own = NULL; }
    else { v->ok++; b = answer(c->s, path, &own); }
    if (v->delay_ms) {
      timer_e e = {now_us() + v->delay_ms * 1000LL, c, c->gen, b.p, b.n, own};
      c->busy = 1; hpush(e); return;
    }
    if (give(c, b.p, b.n, own) < 0) return;
  }
}

int main(int argc, char **argv) {
  int base = argc > 1 ? atoi(argv[1]) : 29300;
  signal(SIGPIPE, SIG_IGN);
  build();
  ep = epoll_create1(0);
  int lfd[NSVC];
  static conn lc[NSVC];
  for (int s = 0; s < NSVC; s++) {
    int one = 1;
    lfd[s] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(lfd[s], SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(base + s), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(lfd[s], (void *)&a, sizeof a) || listen(lfd[s], 4096)) { perror("bind"); return 1; }
    lc[s].fd = lfd[s]; lc[s].s = s; lc[s].icap = 0;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &lc[s]};
    epoll_ctl(ep, EPOLL_CTL_ADD, lfd[s], &e);
  }
  printf("mock on 127.0.0.1:%d..%d\n", base, base + NSVC - 1); fflush(stdout);
  struct epoll_event ev[512];
  for (;;) {
    int to = -1;
    if (hn) { long long d = heap[0].due - now_us(); to = d <= 0 ? 0 : (int)((d + 999) / 1000); }
    int n = epoll_wait(ep, ev, 512, to);
    for (int i = 0; i < n; i++) {
      conn *c = ev[i].data.ptr;
      if (c >= lc && c < lc + NSVC) {
        for (;;) {
          int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
          if (fd < 0) break;
          int one = 1;
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          conn *k = calloc(1, sizeof *k);
          k->fd = fd; k->s = c->s; k->icap = 16384; k->in = malloc(k->icap + 1);
          svc[k->s].conns++;
          struct epoll_event e = {.events = EPOLLIN, .data.ptr = k};
          epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        }
        continue;
      }
      if (c->dead) continue;
      if (ev[i].events & EPOLLOUT) {
        int r = flush_out(c);
        if (r < 0) continue;
        if (r == 1) { want(c, 0); process(c); if (c->dead) continue; }
      }
      if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        if (c->ilen == c->icap) { close_conn(c); continue; }
        ssize_t r = recv(c->fd, c->in + c->ilen, c->icap - c->ilen, 0);
        if (r == 0 || (r < 0 && errno != EAGAIN)) { close_conn(c); continue; }
        if (r > 0) { c->ilen += r; c->in[c->ilen] = 0; process(c); }
      }
    }
    long long t = hn ? now_us() : 0;
    while (hn && heap[0].due <= t) {
      timer_e e = hpop();
      if (e.c->gen != e.gen || e.c->dead) { free(e.own); continue; }
      if (give(e.c, e.p, e.n, e.own) == 1) process(e.c);
    }
    /* connections closed in this round are released here, when no event of
     * the round can still name them (timers are told apart by gen) */
    while (freelist) {
      conn *c = freelist; freelist = c->next_free;
      if (hn) { c->next_free = NULL; free(c->in); c->in = NULL; /* kept: a timer may name it */ continue; }
      free(c->in); free(c);
    }
  }
}
