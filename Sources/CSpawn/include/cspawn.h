// Starting a process with steps between fork and exec that posix_spawn has no word for.
#ifndef TAKUMI_CSPAWN_H
#define TAKUMI_CSPAWN_H

#include <sys/types.h>

struct takumi_spawn {
    const char *executable;
    char *const *arguments;
    char *const *environment;
    /// Working directory, or null.
    const char *directory;
    /// Become standard output and error; -1 is /dev/null.
    int output, error;
    /// A session of its own; else a process group of its own.
    int new_session;
    /// How far it stands back for others, as nice(1) counts; negative leaves what the starting thread has.
    int niceness;
    /// Files that the child writes its own id into before it becomes the program (control groups); null-terminated, or null.
    const char *const *joins;
};

/// Starts a process that inherits nothing else: no descriptors, no signal handlers or masks.
/// Returns its id, or -1 with errno set, also where the program could not be executed.
pid_t takumi_spawn(const struct takumi_spawn *spawn);

/// A descriptor that becomes readable when the process ends, or -1.
int takumi_pidfd_open(int pid);

/// Sets how large a process's files may become by writing, in bytes; a negative number takes the limit away. As far as its hard
/// limit lets it. Returns 0, or -1 with errno set.
int takumi_limit_file_size(int pid, long long bytes);

/// Sends bytes and descriptors over a Unix socket. Returns 0, or -1 with errno set.
int takumi_send_descriptors(int socket, const void *bytes, unsigned long length, const int *descriptors, int count);

#endif
