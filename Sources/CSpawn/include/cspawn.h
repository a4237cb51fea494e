// What glibc offers only under _GNU_SOURCE, and Swift's Glibc module therefore hides.
#ifndef TAKUMI_CSPAWN_H
#define TAKUMI_CSPAWN_H

#include <spawn.h>

int takumi_spawn_add_closefrom(posix_spawn_file_actions_t *actions, int from);
int takumi_spawn_add_chdir(posix_spawn_file_actions_t *actions, const char *path);
/// The POSIX_SPAWN_SETSID flag.
short takumi_spawn_setsid_flag(void);

/// A descriptor that becomes readable when the process ends, or -1.
int takumi_pidfd_open(int pid);

#endif
