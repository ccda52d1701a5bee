<?php
/**
 * Removes the settings, the token among them. The passes stay with their files: they say what was checked.
 *
 * @package redact-gate
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

delete_option( 'redact_gate' );
