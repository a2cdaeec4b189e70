// The page that everything in one measurement shares: who has come to life, and when. The launcher makes the file,
// the programs in the container map it. A time is taken first and written down afterwards, so that the mapping is not
// in it. Nothing here waits, allocates or calls the launcher, but for one futex that wakes it when as many have come
// as it waits for.
#ifndef PAGE_H
#define PAGE_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_WAIT_OPERATION 0
#define FUTEX_WAKE_OPERATION 1
#define PAGE_STAMPS 8192
// Where the file is, seen from inside the container.
#define PAGE_INSIDE "/bench/page"

struct page {
    _Atomic uint32_t count;   // so many stamps are there
    _Atomic uint32_t wanted;  // the launcher sleeps until it is this many
    _Atomic uint32_t go;      // the launcher lets orphans.c begin
    _Atomic uint32_t left;    // zombies that orphans.c gave up waiting for
    int64_t start;            // PID 1, right before its exec
    int64_t stamps[PAGE_STAMPS];
    int32_t pids[PAGE_STAMPS];  // as the container numbers them
};

static inline int64_t monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline struct page *map_page(const char *path) {
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return 0;
    struct page *page = mmap(0, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return page == MAP_FAILED ? 0 : page;
}

static inline void stamp(struct page *page, int64_t now) {
    if (!page) return;
    uint32_t place = atomic_fetch_add(&page->count, 1);
    if (place < PAGE_STAMPS) {
        page->pids[place] = getpid();
        atomic_thread_fence(memory_order_release);
        page->stamps[place] = now;
    }
    if (place + 1 >= atomic_load(&page->wanted)) syscall(SYS_futex, &page->count, FUTEX_WAKE_OPERATION, 1, 0, 0, 0);
}

#endif
