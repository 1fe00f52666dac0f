import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import { whenLocked } from './lib/api';
import { live } from './lib/live.svelte';
import { router } from './lib/route.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no #app');

whenLocked(() => live.lock());
router.start();
live.start();
mount(App, { target });
