import { defineConfig } from 'rolldown';

// Dependencies stay outside of the bundle (openpgp and others ask for it by their licences, and source maps stay small).
export default defineConfig({
  input: { weir: 'src/cli/main.ts', 'build-worker': 'src/build/worker.ts' },
  platform: 'node',
  external: [/^[^./]/],
  output: {
    dir: 'dist',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunk-[name]-[hash].mjs',
    format: 'esm',
    sourcemap: true,
  },
});
