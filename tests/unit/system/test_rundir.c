// SPDX-License-Identifier: BSD-3-Clause
#include "abi/knit_shm.h"
#include "system/process/eal_paths.h"
#include "system/process/lockfile.h"
#include "system/process/procfd.h"
#include "system/rundir/rundir_options.h"
#include "system/rundir/rundir_paths.h"
#include "unit.h"

#include <rte_version.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "knit-unit-rundir"

static struct knit_args args;
static char said[512];

static enum knit_exit parse(const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	FILE *err = fmemopen(said, sizeof(said), "w");
	enum knit_exit ret;

	memset(said, 0, sizeof(said));
	memset(&args, 0, sizeof(args));
	ck_assert_int_eq(knit_args_add(&args, "knit-test"), 0);
	ret = knit_args_parse(&args, in, "a.args", err);
	fclose(in);
	fclose(err);
	return ret;
}

START_TEST(args_there_and_back)
{
	struct knit_args sent = { 0 };
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_int_eq(knit_args_add(&sent, "left out"), 0);
	ck_assert_int_eq(knit_args_add(&sent, "--lcores=1@(0,2-3)"), 0);
	ck_assert_int_eq(knit_args_add(&sent, "two words"), 0);
	sent.physical = true;
	setenv("RUNTIME_DIRECTORY", "/some where", 1);
	knit_args_print(&sent, out);
	unsetenv("RUNTIME_DIRECTORY");
	fclose(out);
	ck_assert_int_eq(parse(text), KNIT_EXIT_OK);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(args.argc, 3);
	ck_assert_str_eq(args.argv[0], "knit-test");
	ck_assert_str_eq(args.argv[1], "--lcores=1@(0,2-3)");
	ck_assert_str_eq(args.argv[2], "two words");
	ck_assert_ptr_null(args.argv[3]);
	ck_assert_int_eq(args.primary, getpid());
	ck_assert_uint_ne(args.primary_start, 0);
	ck_assert_str_eq(args.runtime, "/some where");
	ck_assert(args.physical);
}
END_TEST

START_TEST(args_bounds)
{
	struct knit_args full = { 0 };
	char text[1100];
	int i;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(knit_args_add(&full, text), -ENOSPC);
	ck_assert_int_eq(knit_args_add(&full, "a\nb"), -EINVAL);
	for (i = 0; i < KNIT_MAX_ARGS - 1; i++)
		ck_assert_int_eq(knit_args_add(&full, "x"), 0);
	ck_assert_int_eq(knit_args_add(&full, "x"), -ENOSPC);
	ck_assert_ptr_null(full.argv[full.argc]);

	memset(&full, 0, sizeof(full));
	text[1000] = '\0';
	for (i = 0; knit_args_add(&full, text) == 0; i++)
		ck_assert_int_lt(i, 5);
	ck_assert_int_eq(i, 4);
	ck_assert(full.argv[3] + 1001 <= full.text + sizeof(full.text));
}
END_TEST

START_TEST(args_versions)
{
	char text[512];

	ck_assert_int_eq(parse("dpdk DPDK 1.2.3\nabi 1\nprimary 1 2\n"), KNIT_EXIT_MISMATCH);
	ck_assert_ptr_nonnull(strstr(said, "a.args"));
	ck_assert_ptr_nonnull(strstr(said, "\"DPDK 1.2.3\""));
	ck_assert_ptr_nonnull(strstr(said, rte_version()));
	snprintf(text, sizeof(text), "dpdk %s\nabi 4711\nprimary 1 2\n", rte_version());
	ck_assert_int_eq(parse(text), KNIT_EXIT_MISMATCH);
	ck_assert_ptr_nonnull(strstr(said, "\"4711\""));
}
END_TEST

#define HEAD "primary 5 5\nruntime /r\niova va\n"

START_TEST(args_garbage)
{
	static const char *const tails[] = {
		"",
		"primary\n",
		"primary 0 5\n",
		"primary 5\n",
		"arg x\n",
		"primary 5 5\narg x\n",
		"primary 5 5\nruntime \niova va\n",
		"primary 5 5\nruntime /r\narg x\n",
		"primary 5 5\nruntime /r\niova some\n",
		HEAD "argx\n",
		HEAD "hello 1\n",
		HEAD "arg cut",
		"primary -1 5\n",
	};
	char text[2048], head[256];
	size_t i;

	ck_assert_int_eq(parse("x"), KNIT_EXIT_FAILURE);
	ck_assert_int_eq(parse("\n\n\n"), KNIT_EXIT_FAILURE);
	snprintf(head, sizeof(head), "dpdk %s\nabi %d\n", rte_version(), KNIT_ABI_VERSION);
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", head, tails[i]);
		ck_assert_msg(parse(text) == KNIT_EXIT_FAILURE, "taken: %s", text);
		ck_assert_msg(strstr(said, "a.args"), "said: %s", said);
	}
	snprintf(text, sizeof(text), "%s" HEAD, head);
	for (i = 0; i < KNIT_MAX_ARGS; i++)
		strcat(text, "arg x\n");
	ck_assert_int_eq(parse(text), KNIT_EXIT_FAILURE);
	snprintf(text, sizeof(text), "%s" HEAD "arg ", head);
	memset(text + strlen(text), 'y', 1500);
	ck_assert_int_eq(parse(text), KNIT_EXIT_FAILURE);
}
END_TEST

/* What another process makes of the lock: its exit status is try()'s answer. */
static int in_child(const char *path, int (*try)(int fd))
{
	int fd, status;
	pid_t pid = fork();

	if (pid == 0) {
		fd = knit_lock_open(path);
		_exit(fd < 0 ? 99 : try(fd));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static int try_shared(int fd)
{
	return -knit_lock_try(fd, F_RDLCK);
}

static int try_exclusive(int fd)
{
	return -knit_lock_wait(fd, F_WRLCK, 20);
}

static int see_held(int fd)
{
	return knit_lock_held(fd);
}

static int die_attaching(int fd)
{
	knit_lock_try(fd, F_WRLCK);
	knit_lock_write(fd, KNIT_LOCK_ATTACHING);
	return 0;
}

START_TEST(locks)
{
	char path[] = "/tmp/knit-lock-XXXXXX";
	pid_t pid;
	int fd;

	close(mkstemp(path));
	fd = knit_lock_open(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(knit_lock_read(fd, &pid), KNIT_LOCK_EMPTY);
	ck_assert_int_eq(in_child(path, see_held), 0);
	ck_assert_int_eq(knit_lock_try(fd, F_RDLCK), 0);
	ck_assert_int_eq(in_child(path, see_held), 1);
	ck_assert_int_eq(in_child(path, try_shared), 0);
	ck_assert_int_eq(in_child(path, try_exclusive), EAGAIN);
	ck_assert_int_eq(knit_lock_try(fd, F_WRLCK), 0);
	ck_assert_int_eq(in_child(path, try_shared), EAGAIN);
	knit_lock_write(fd, KNIT_LOCK_ATTACHED);
	ck_assert_int_eq(knit_lock_read(fd, &pid), KNIT_LOCK_ATTACHED);
	ck_assert_int_eq(pid, getpid());
	ck_assert_int_eq(knit_lock_try(fd, F_UNLCK), 0);
	/* What a dead process wrote stays, its lock does not. */
	ck_assert_int_eq(in_child(path, die_attaching), 0);
	ck_assert(!knit_lock_held(fd));
	ck_assert_int_eq(knit_lock_read(fd, &pid), KNIT_LOCK_ATTACHING);
	ck_assert_int_ne(pid, getpid());
	ck_assert_int_eq(pwrite(fd, "nonsense", 8, 0), 8);
	ck_assert_int_eq(knit_lock_read(fd, &pid), KNIT_LOCK_EMPTY);
	close(fd);
	unlink(path);
}
END_TEST

static void write_as(int fd, int pid, const char *state)
{
	char line[25];

	snprintf(line, sizeof(line), "%-12d%-11s\n", pid, state);
	ck_assert_int_eq(pwrite(fd, line, 24, 0), 24);
}

/* Each time as another process: in, and out in good order. */
static void come_and_go(const char *path)
{
	int fd, pid;

	for (pid = 1000000;; pid++) {
		fd = knit_lock_open(path);
		while (knit_lock_try(fd, F_WRLCK) < 0)
			;
		write_as(fd, pid, "attaching");
		write_as(fd, pid, "detaching");
		write_as(fd, pid, "detached");
		close(fd);
	}
}

START_TEST(nobody_died)
{
	char path[] = "/tmp/knit-lock-XXXXXX";
	pid_t child, pid;
	int fd, i;

	close(mkstemp(path));
	fd = knit_lock_open(path);
	child = fork();
	if (child == 0)
		come_and_go(path);
	for (i = 0; i < 300000; i++)
		ck_assert_msg(!knit_lock_died_attaching(fd, &pid), "look %d: process %d", i, pid);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	/* And one that did. */
	ck_assert_int_eq(in_child(path, die_attaching), 0);
	ck_assert(knit_lock_died_attaching(fd, &pid));
	ck_assert_int_gt(pid, 0);
	close(fd);
	unlink(path);
}
END_TEST

static int stand_with_lock(const char *path, int out)
{
	int fd = knit_lock_open(path);

	if (knit_lock_try(fd, F_RDLCK) < 0 || write(out, "x", 1) != 1)
		return 1;
	for (;;)
		pause();
}

/* A pid counts only with the file, and the lock, in its hands. */
START_TEST(whose_lock)
{
	char path[] = "/tmp/knit-lock-XXXXXX", c;
	int fd, pidfd, pipes[2];
	struct stat st;
	pid_t child;

	close(mkstemp(path));
	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0)
		_exit(stand_with_lock(path, pipes[1]));
	ck_assert_int_eq(read(pipes[0], &c, 1), 1);
	fd = knit_lock_open(path);
	ck_assert_int_eq(fstat(fd, &st), 0);
	pidfd = knit_process_open(child, &st, true);
	ck_assert_int_ge(pidfd, 0);
	close(pidfd);
	/* Somebody else's process may have been handed the file. */
	st.st_uid = st.st_gid = 4711;
	ck_assert_int_eq(knit_process_open(child, &st, true), -ESRCH);
	st.st_gid = getegid();
	pidfd = knit_process_open(child, &st, true);
	ck_assert_int_ge(pidfd, 0);
	close(pidfd);
	ck_assert(knit_process_has(getpid(), &st, false));
	ck_assert(!knit_process_has(getpid(), &st, true));
	ck_assert_int_eq(knit_process_open(getpid(), &st, true), -ESRCH);
	st.st_ino++;
	ck_assert(!knit_process_has(child, &st, false));
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_lt(knit_process_open(child, &st, false), 0);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
	unlink(path);
}
END_TEST

/* Whether never two were inside. */
static bool in_and_out(unsigned int times)
{
	int fd;

	/* Most of the time it is another one's, which is said. */
	if (freopen("/dev/null", "w", stderr) == NULL)
		return false;
	while (times > 0) {
		if (knit_rundir_create(PREFIX) < 0)
			continue;
		times--;
		fd = open("/run/inside", O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return false;
		close(fd);
		unlink("/run/inside");
		knit_rundir_remove(PREFIX);
	}
	return true;
}

/* Whoever leaves removes files and directory, which others have open or want by then. */
START_TEST(primaries_one_by_one)
{
	pid_t children[4];
	unsigned int i;
	int status;

	knit_own_run(PREFIX);
	for (i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(!in_and_out(1000));
	}
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_ne(access("/run/knit/" PREFIX, F_OK), 0);
}
END_TEST

#define EAL_DIR "/run/dpdk/" PREFIX

/* As EAL has it: as long as it lives, a lock on its configuration. */
static void be_primary(int out)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(EAL_DIR "/config", O_RDWR | O_CREAT, 0600);

	if (fcntl(fd, F_SETLK, &lock) < 0 || write(out, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Of a primary that was killed, too, whose folder somebody else removes. */
START_TEST(nothing_stays)
{
	static const char *const names[] = { "command.sock", "worker-0.args", "worker-0.lock",
					     "control.args.tmp" };
	char path[200];
	unsigned int i;

	knit_own_run(PREFIX);
	ck_assert_int_eq(knit_rundir_create(PREFIX), 0);
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", knit_path_dir(PREFIX).text, names[i]);
		close(open(path, O_CREAT | O_CLOEXEC | O_RDWR, 0600));
	}
	knit_rundir_remove(PREFIX);
	ck_assert_int_lt(access(knit_path_dir(PREFIX).text, F_OK), 0);
}
END_TEST

START_TEST(files_of_another_primary)
{
	int pipes[2];
	pid_t child;
	char c;

	knit_own_run(PREFIX);
	setenv("RUNTIME_DIRECTORY", "/run", 1);
	ck_assert_int_eq(mkdir("/run/dpdk", 0700), 0);
	ck_assert_int_eq(mkdir(EAL_DIR, 0700), 0);
	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0)
		be_primary(pipes[1]);
	ck_assert_int_eq(read(pipes[0], &c, 1), 1);
	ck_assert_int_eq(knit_eal_remove_files(PREFIX), child);
	ck_assert_int_eq(access(EAL_DIR "/config", F_OK), 0);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(knit_eal_remove_files(PREFIX), 0);
	ck_assert_int_ne(access(EAL_DIR, F_OK), 0);
}
END_TEST

static unsigned int mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* A link that somebody put among the files stays one, and what it points to stays as it is. */
START_TEST(links_are_not_shared)
{
	char path[512];
	struct stat st;

	knit_own_run(PREFIX);
	setenv("RUNTIME_DIRECTORY", "/run", 1);
	ck_assert_int_eq(mkdir("/run/dpdk", 0700), 0);
	ck_assert_int_eq(mkdir(EAL_DIR, 0700), 0);
	close(open(EAL_DIR "/config", O_RDWR | O_CREAT, 0600));
	close(open(EAL_DIR "/of_another", O_RDWR | O_CREAT, 0600));
	ck_assert_int_eq(chown(EAL_DIR "/of_another", 4712, 4712), 0);
	close(open("/run/secret", O_RDWR | O_CREAT, 0600));
	ck_assert_int_eq(symlink("/run/secret", EAL_DIR "/link"), 0);
	ck_assert_int_eq(knit_eal_share_files(PREFIX, 4711, path, sizeof(path)), 0);
	ck_assert_uint_eq(mode_of("/run/secret"), 0600);
	ck_assert_uint_eq(mode_of(EAL_DIR "/of_another"), 0600);
	ck_assert_uint_eq(mode_of(EAL_DIR "/config"), 0660);
	ck_assert_int_eq(stat(EAL_DIR "/config", &st), 0);
	ck_assert_uint_eq(st.st_gid, 4711);
	ck_assert_uint_eq(mode_of(EAL_DIR), 01770);

	ck_assert_int_eq(knit_eal_unshare_dir(PREFIX), 0);
	ck_assert_uint_eq(mode_of(EAL_DIR), 0700);
	ck_assert_int_eq(stat(EAL_DIR, &st), 0);
	ck_assert_uint_eq(st.st_gid, getegid());
	ck_assert_int_eq(knit_eal_remove_files(PREFIX), 0);
	ck_assert_int_eq(knit_eal_unshare_dir(PREFIX), 0);
}
END_TEST

KNIT_SUITE(rundir)
{
	knit_add_test(s, "arguments there and back", args_there_and_back, 0);
	knit_add_test(s, "bounds of arguments", args_bounds, 0);
	knit_add_test(s, "versions", args_versions, 0);
	knit_add_test(s, "no argument file", args_garbage, 0);
	knit_add_test(s, "locks", locks, 0);
	knit_add_test(s, "leaving is no death", nobody_died, 60);
	knit_add_test(s, "whose lock it is", whose_lock, 0);
	knit_add_test(s, "primaries one by one", primaries_one_by_one, 60);
	knit_add_test(s, "nothing stays", nothing_stays, 0);
	knit_add_test(s, "files of another primary", files_of_another_primary, 0);
	knit_add_test(s, "links are not shared", links_are_not_shared, 0);
}
