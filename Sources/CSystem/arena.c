// Where the memory of Swift's objects comes from. That is libc, except in the modes that read files, say something and end
// (--check, --plan, toml): there a hundred objects are made for each file, most of them gone at once, and libc's allocator
// took a sixth of the time and its calls of the kernel another sixth. For those, blocks are cut from one large mapping and
// kept by their size for the next of that size; what is left goes with the process.
//
// PID 1 never calls hi_arena_begin: it gives memory back to the kernel, and libc's allocator notices a heap that is damaged.
#include "CSystem.h"

#include <sys/mman.h>

// Where there is no memory (RLIMIT_AS, vm.overcommit_memory=2; a container's own limit kills instead), Swift goes on with
// address 0 and dies. PID 1 waits instead: first it gives back address space that it keeps for this, so that it can
// still do its work for a while; then it asks again every 10 ms, until somebody else has given some back.
enum { RESERVE = 512 * 1024, REST = 10, RESTS_IN_A_MINUTE = 60 * 1000 / REST };
static void *reserve;
static bool is_patient;

void hi_keep_memory(void) {
    is_patient = true;
    if (reserve != NULL) return;
    // Never touched, so it takes up none.
    void *memory = mmap(NULL, RESERVE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) reserve = memory;
}

static void say_raw(const char *text) {
    struct pollfd error = {.fd = 2, .events = POLLOUT};
    // Never waits: less than a page goes into a pipe that has room.
    if (poll(&error, 1, 0) == 1 && write(2, text, strlen(text)) < 0) return;
}

bool hi_memory_is_short(void) { return is_patient && reserve == NULL; }

void hi_wait_for_memory(void) {
    static unsigned rests;
    if (reserve != NULL) {
        munmap(reserve, RESERVE);
        reserve = NULL;
        rests = 0;
        return;
    }
    if (!is_patient) {
        say_raw("hermes-init: out of memory\n");
        _exit(71);
    }
    if (rests++ % RESTS_IN_A_MINUTE == 0)
        say_raw("hermes-init: out of memory: waiting until there is some (ulimit -v, vm.overcommit_memory)\n");
    poll(NULL, 0, REST);
}

#if defined(__linux__) && !defined(__GLIBC__)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/// Address space, of which only what is used takes up memory. For more than this, libc is asked.
#define ARENA ((size_t)4 << 30)
/// The largest block that is cut from it; what is larger comes from libc and goes back to the kernel.
#define LARGEST ((size_t)4096)
/// The kernel is asked for memory in such pieces, which takes a quarter of the time of a fault for each page.
#define PIECE ((size_t)128 << 10)

static char *first, *next, *populated, *end;
/// Blocks that are free, by their size in units of 16 bytes; each begins with a pointer to the next.
static void *unused[LARGEST / 16 + 2];

void hi_arena_begin(void) {
    void *memory = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    first = next = populated = memory;
    end = first + ARENA;
}

/// What free(3) of musl calls.
void __libc_free(void *block);

/// Each block is aligned to 16 bytes, and its number of units stands in the eight bytes before it. NULL where there is no
/// place for it.
static void *cut(size_t size) {
    size_t units = (size + 8 + 15) / 16;
    char *block = unused[units];
    if (block != NULL) {
        unused[units] = *(void **)block;
        return block;
    }
    if ((units + 1) * 16 > (size_t)(end - next)) return NULL;
    block = next + 16;
    next += units * 16;
    while (next + 16 > populated) {
        // Only to be quicker: where the kernel does not know it, pages come as they are touched.
        madvise(populated, PIECE, MADV_POPULATE_WRITE);
        populated += PIECE;
    }
    *(size_t *)(block - 8) = units;
    return block;
}

// Swift asks this for every object that it makes. musl's walks the heap's own tables for it; what malloc gives is aligned
// for everything that Swift makes (16 bytes), and costs a third.
int posix_memalign(void **place, size_t alignment, size_t size) {
    void *memory = NULL;
    if (first != NULL && alignment <= 16 && size <= LARGEST) memory = cut(size);
    while (memory == NULL) {
        memory = alignment <= 16 ? malloc(size) : aligned_alloc(alignment, size);
        if (memory == NULL) hi_wait_for_memory();
    }
    *place = memory;
    return 0;
}

// The arena's blocks are known by where they lie.
void free(void *block) {
    if ((uintptr_t)block - (uintptr_t)first >= (uintptr_t)(end - first)) {
        __libc_free(block);
        return;
    }
    size_t units = *(size_t *)((char *)block - 8);
    *(void **)block = unused[units];
    unused[units] = block;
}
#else
void hi_arena_begin(void) {}
#endif
