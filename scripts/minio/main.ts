/**
 * `npm run test:minio`: the deadline of an AWS session on software we did not write. A real MinIO server is STS and S3; the
 * broker mints with it, and AWS's own SDK tries what was granted. Without a MinIO it skips, and says so.
 */
import { proveOn } from './prove.js';
import { findMinio } from './server.js';

const minio = findMinio();
if (!minio) {
  process.stdout.write('MinIO: skipped. There is no `minio` on PATH, and MINIO_URL is not set.\n');
  process.stdout.write('0 passed, 0 failed, 1 skipped\n');
} else {
  try {
    const { passed, failed } = await proveOn(minio);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    await minio.end();
  }
}
