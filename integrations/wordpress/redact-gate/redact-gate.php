<?php
/**
 * Plugin Name:       Redact Gate
 * Description:       Lets a photo or film into the media library, and into what is published, only after redact passed it.
 * Version:           0.1.0
 * Requires at least: 5.9
 * Requires PHP:      7.4
 * License:           MIT (compatible with the GPL)
 * License URI:       https://opensource.org/license/mit
 * Text Domain:       redact-gate
 *
 * Whatever goes wrong counts as no: a service that is down, slow or odd, a missing setting, an error in here.
 *
 * @package redact-gate
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/includes/class-redact-gate-refusal.php';
require_once __DIR__ . '/includes/class-redact-gate-settings.php';
require_once __DIR__ . '/includes/class-redact-gate-http.php';
require_once __DIR__ . '/includes/class-redact-gate-client.php';
require_once __DIR__ . '/includes/class-redact-gate-passes.php';
require_once __DIR__ . '/includes/class-redact-gate-uploads.php';
require_once __DIR__ . '/includes/class-redact-gate-sizes.php';
require_once __DIR__ . '/includes/class-redact-gate-addresses.php';
require_once __DIR__ . '/includes/class-redact-gate-contents.php';
require_once __DIR__ . '/includes/class-redact-gate-publishing.php';

Redact_Gate_Settings::register();
Redact_Gate_Uploads::register();
Redact_Gate_Sizes::register();
Redact_Gate_Publishing::register();
