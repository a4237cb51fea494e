#define _GNU_SOURCE
#include "cspawn.h"

#include <sys/syscall.h>
#include <unistd.h>

int takumi_spawn_add_closefrom(posix_spawn_file_actions_t *actions, int from) {
    return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

int takumi_spawn_add_chdir(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

short takumi_spawn_setsid_flag(void) { return POSIX_SPAWN_SETSID; }

int takumi_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
