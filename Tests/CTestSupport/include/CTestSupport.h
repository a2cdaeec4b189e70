// What tests of files need and Swift cannot say: a thread with an identity, a filter of system calls and mounts of its own (on
// Linux all three belong to a thread), and an enemy who swaps files as fast as he can.
#ifndef HERMES_INIT_TEST_SUPPORT_H
#define HERMES_INIT_TEST_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Runs a function in a thread of its own, to its end.
void test_in_thread(void (*_Nonnull body)(void *_Nullable), void *_Nullable context);

/// Makes the calling thread another user without other groups and capabilities. 0, or -1 and errno.
int test_become(uint32_t uid, uint32_t gid);

/// From now on the calling thread is told ENOSYS for openat2(2), fchmodat2(2) and statx(2), as on an old kernel.
int test_use_old_kernel(void);

/// Gives the calling thread mounts of its own. -1 and errno where that is not allowed.
int test_own_mounts(void);
/// Mounts an empty file system in memory.
int test_mount_memory(const char *_Nonnull path, const char *_Nonnull options);
/// Mounts a file or folder at a second place.
int test_bind(const char *_Nonnull from, const char *_Nonnull to);
/// Makes a mount read-only.
int test_make_read_only(const char *_Nonnull path);
/// Makes a file immutable (chattr +i), or changeable again.
int test_make_immutable(const char *_Nonnull path, bool immutable);

/// A new empty folder in the folder for temporary files, or in /dev/shm where there is one. Gives the length of its path.
size_t test_make_folder(char *_Nonnull path, size_t size, bool in_memory);
/// Removes a tree.
void test_remove_tree(const char *_Nonnull path);
/// mkfifo(3), or a node of the null device, or a bound socket; by 'f', 'n' or 's'.
int test_make_special(const char *_Nonnull path, char kind);

/// Starts the enemy: threads that work in the folder `inside`, as that user, and now and then as root where links to files of
/// others are concerned, and swap what lies there for links to what lies in `outside`.
void test_enemy_start(const char *_Nonnull inside, const char *_Nonnull outside, uint32_t uid);
/// How many swaps there were so far.
uint64_t test_enemy_rounds(void);
/// Ends the enemy.
void test_enemy_stop(void);

/// Runs a function in a thread of its own, and before each of its system calls that change files or make them durable
/// calls `before` with the number of the call and its first argument, in the calling thread. -1 and errno where the kernel cannot do that.
int test_watch(
    void (*_Nonnull body)(void *_Nullable), void (*_Nonnull before)(void *_Nullable, int number, uint64_t argument),
    void *_Nullable context);

/// The name of a system call that test_watch told.
const char *_Nonnull test_call_name(int number);

#endif
