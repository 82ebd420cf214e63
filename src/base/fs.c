/* SPDX-License-Identifier: ISC */
/* Kinds of file systems, by the numbers in statfs(2). */
#include "base/fs.h"

#include <linux/magic.h>
#include <stddef.h>
#include <stdint.h>

bool
fs_tells_changes(const struct statfs *fs)
{
	static const uint32_t silent[] = {
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
		SMB2_SUPER_MAGIC, FUSE_SUPER_MAGIC, V9FS_MAGIC,
		AFS_SUPER_MAGIC, AFS_FS_MAGIC, CODA_SUPER_MAGIC,
		CEPH_SUPER_MAGIC, OCFS2_SUPER_MAGIC, 0x01161970 /* GFS2 */,
		PROC_SUPER_MAGIC, SYSFS_MAGIC,
	};

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		/* A signed word of 32 or 64 bits, of which 32 count. */
		if ((uint32_t)fs->f_type == silent[i])
			return false;
	return true;
}
