import { svelte } from '@sveltejs/vite-plugin-svelte';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig(({ mode }) => {
  // The development server hands the API on to a running monitor.
  const api = loadEnv(mode, '.', 'MONITOR_')['MONITOR_URL'] ?? 'http://127.0.0.1:8765';
  return {
    plugins: [svelte()],
    build: {
      target: 'es2022',
      outDir: '../monitor/web/static',
      emptyOutDir: true,
      assetsDir: 'assets',
      assetsInlineLimit: 0, // no data: addresses, so that a strict content security policy holds
      modulePreload: { polyfill: false },
    },
    server: {
      proxy: {
        '/api': api,
        '/ws': { target: api, ws: true },
      },
    },
    test: { include: ['tests/**/*.test.ts'] },
  };
});
